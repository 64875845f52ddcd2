import { describe, expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { Serde } from '../../serdes/serde.ts';
import { string } from '../../serdes/string.ts';
import { DeferredWork } from './deferred-work.ts';
import { InputQueue } from './input-queue.ts';

const value = string() as Serde<unknown>;
const nothing = new DeferredWork();

function queueOf(seen: string[], consumers: readonly (readonly [name: string, table: boolean])[]): InputQueue {
  const queue = new InputQueue({ name: 'source', value }, 0, 0, (error) => {
    throw error;
  });
  for (const [name, table] of consumers) {
    queue.add({
      key: undefined,
      value,
      tombstones: table,
      table,
      deliver: (record) => void seen.push(`${name} ${String(record.value)}`),
      complete: () => undefined,
    });
  }
  return queue;
}

describe('a topic that is read as a table and as streams', () => {
  const orders = [
    [
      ['rows', true],
      ['first', false],
      ['second', false],
    ],
    [
      ['first', false],
      ['rows', true],
      ['second', false],
    ],
    [
      ['first', false],
      ['second', false],
      ['rows', true],
    ],
  ] as const;

  it('gives a record to the table before streams, which have it in their own order', () => {
    for (const consumers of orders) {
      const seen: string[] = [];
      const queue = queueOf(seen, consumers);
      const batch = new RecordBatchBuilder();
      for (const text of ['a', 'b']) batch.append(1, null, text, []);
      queue.push(batch.columns(0));
      while (!queue.empty) queue.take(nothing);
      expect(seen).toEqual(['rows a', 'first a', 'second a', 'rows b', 'first b', 'second b']);
    }
  });
});

it('reports a record with neither key nor value, and with more headers than are read, as any other', () => {
  const failures: unknown[] = [];
  const queue = new InputQueue({ name: 'source', value }, 0, 0, (error) => void failures.push(error));
  const seen: unknown[] = [];
  queue.add({
    key: undefined,
    value,
    tombstones: true,
    table: false,
    deliver: (record) => void seen.push(record.value),
    complete: () => undefined,
  });
  const batch = new RecordBatchBuilder();
  const tooMany = Array.from({ length: 10_001 }, () => ['', null] as const);
  batch.append(1, null, null, tooMany);
  batch.append(2, null, 'a', []);
  batch.append(3, null, null, tooMany);
  // As from a log: what was just appended is known to have these headers.
  queue.push(decodeBatch(batch.finish(), 0));
  while (!queue.empty) queue.take(nothing);
  expect(failures).toMatchObject([{ code: 'ERR_HEADERS' }, { code: 'ERR_HEADERS' }]);
  expect(seen).toEqual(['a']);
});
