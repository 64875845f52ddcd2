import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkHistory, type HistoryEvent } from '../../src/testing/index.ts';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { readAll } from '../contract/support.ts';
import { batchSize } from './batch-size.ts';
import { folder, startChild } from './children.ts';

const FOLDERS = 4;
const ROUNDS = 25;

interface Acknowledged {
  readonly partition: number;
  readonly offset: number;
  readonly count: number;
  readonly first: string;
}

const parse = (line: string): Acknowledged => {
  const [, partition, offset, count, first] = line.split(' ');
  return { partition: Number(partition), offset: Number(offset), count: Number(count), first: first! };
};

/** Kills publishers on one folder again and again; returns what they had been told is safe. */
async function killRounds(path: string, rounds: number): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  for (let round = 0; round < rounds; round++) {
    const child = startChild('publish', [path, `r${round}`]);
    await child.line('ready', 60_000);
    await sleep(50 + Math.random() * 550);
    child.kill('SIGKILL');
    expect(await child.exit(), child.errors()).toBe('SIGKILL');
    acknowledged.push(...child.lines.filter((line) => line.startsWith('ack ')).map(parse));
  }
  return acknowledged;
}

/** The records of a batch. */
const idsOf = ({ count, first }: Pick<Acknowledged, 'count' | 'first'>): string[] => {
  const stem = first.split('-').slice(0, 3).join('-');
  return Array.from({ length: count }, (_, i) => `${stem}-${i}-${count}`);
};

/** What was published, told by the acknowledgements: of each lane one batch more may be there, which was under way at the kill. */
function published(acknowledged: readonly Acknowledged[]): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const next = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) for (const lane of [0, 1, 2]) next.set(`r${round}-${lane}`, 0);
  for (const ack of acknowledged) {
    const { first, offset, partition } = ack;
    const [prefix, lane, n] = first.split('-');
    const writer = `${prefix}-${lane}`;
    next.set(writer, Number(n) + 1);
    idsOf(ack).forEach((id, i) => {
      events.push({ type: 'published', topic: 'events', id, writer, partition, offset: offset + i });
    });
  }
  for (const [writer, n] of next) {
    const count = batchSize(Number(writer.split('-')[1]), n);
    for (const id of idsOf({ count, first: `${writer}-${n}-0` })) {
      events.push({ type: 'published', topic: 'events', id, writer, outcome: 'unknown' });
    }
  }
  return events;
}

async function check(path: string, acknowledged: readonly Acknowledged[]): Promise<number> {
  const transport = await embeddedTransport({ path })();
  const values = await Promise.all(
    [0, 1].map(async (partition) => {
      const rows = await readAll(transport, 'events', partition);
      // No gap: offsets are those from 0 on.
      expect(rows.findIndex((row, i) => row.offset !== i)).toBe(-1);
      return rows.map((row) => row.value!);
    }),
  );
  await transport.close();
  const reads = values.flatMap((list, partition) =>
    list.map((id, offset): HistoryEvent => ({ type: 'read', topic: 'events', partition, offset, id })),
  );
  expect(checkHistory([...published(acknowledged), ...reads]), 'the history of the log').toEqual([]);
  // A batch is there as a whole or not at all: after record i of n comes record i + 1.
  for (const list of values) {
    let due = 0;
    for (const value of list) {
      const [, , , i, count] = value.split('-').map(Number);
      expect(i, `torn batch at ${value}`).toBe(due);
      due = i! + 1 === count ? 0 : i! + 1;
    }
    expect(due, 'the last batch is torn').toBe(0);
  }
  return values.reduce((sum, list) => sum + list.length, 0);
}

describe('SIGKILL while publishing', () => {
  it(`keeps every acknowledged record and tears no batch, ${FOLDERS * ROUNDS} times`, {
    timeout: 240_000,
  }, async () => {
    const results = await Promise.all(
      Array.from({ length: FOLDERS }, async () => {
        const path = join(await folder('kill'), 'log');
        const acknowledged = await killRounds(path, ROUNDS);
        return { acknowledged: acknowledged.length, records: await check(path, acknowledged) };
      }),
    );
    for (const { acknowledged, records } of results) {
      expect(acknowledged, 'the publishers must have got somewhere').toBeGreaterThan(ROUNDS);
      expect(records).toBeGreaterThan(acknowledged);
    }
  });
});
