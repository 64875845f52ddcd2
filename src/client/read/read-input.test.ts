import { describe, expect, it } from 'vitest';
import type { FetchedBatch } from '../../log/transport.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { string } from '../../serdes/index.ts';
import { topic } from '../../streams/topic.ts';
import { ReadInput } from './read-input.ts';

const { use } = topic('orders', { value: string() });

/** Records at offsets from `base` on; `next` is where the batch ends. */
function batch(base: number, count: number, next = base + count): FetchedBatch {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < count; i++) builder.append(i, null, String(base + i), []);
  const columns = builder.columns(base);
  return Object.assign(Object.create(columns) as FetchedBatch, { nextOffset: next, endOffset: next });
}

function offsets(input: ReadInput): number[] {
  const list: number[] = [];
  while (input.batch !== undefined) {
    list.push(input.headOffset());
    input.advance();
  }
  return list;
}

describe('ReadInput', () => {
  it('hands out the records from its position on, and ends behind the batch', () => {
    const input = new ReadInput(use, 0, 12, Number.POSITIVE_INFINITY);
    input.push(batch(10, 5, 20));
    expect(offsets(input)).toEqual([12, 13, 14]);
    expect(input.position).toBe(20);
    expect(input.done).toBe(false);
  });

  it('stops before its end, also inside a batch and in a gap', () => {
    const inside = new ReadInput(use, 0, 0, 3);
    inside.push(batch(0, 5));
    expect(offsets(inside)).toEqual([0, 1, 2]);
    expect(inside).toMatchObject({ position: 3, done: true });
    const gap = new ReadInput(use, 0, 0, 7);
    gap.push(batch(0, 2, 4));
    expect(offsets(gap)).toEqual([0, 1]);
    gap.push(batch(9, 2));
    expect(offsets(gap)).toEqual([]);
    expect(gap).toMatchObject({ position: 7, done: true });
  });

  it('takes a batch without records as progress', () => {
    const input = new ReadInput(use, 0, 5, 8);
    input.push(batch(5, 0, 8));
    expect(input).toMatchObject({ batch: undefined, position: 8, done: true });
  });

  it('has no committed offsets until it is told', () => {
    expect(new ReadInput(use, 0, 5, 8).committed).toBe(-1);
    expect(new ReadInput(use, 0, 5, 8, 5).committed).toBe(5);
  });
});
