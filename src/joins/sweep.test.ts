import { string } from 'millrace';
import { describe, expect, it } from 'vitest';
import type { StoreWrites } from '../state/byte-store.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TimedStore } from '../state/timed-store.ts';
import { msgpackCodec } from '../state/value-codec.ts';
import { Sweep } from './sweep.ts';

const ID = { applicationId: 'app', store: 'rows', partition: 0 };

function storeOf(cacheEntries: number, backend = memoryStores()) {
  const rows = new TimedStore<string, unknown>(backend.open(ID), string(), msgpackCodec<unknown>('rows'), cacheEntries);
  const commit = (): void => {
    const writes: StoreWrites[] = [];
    rows.collect(writes);
    backend.apply(writes);
    rows.committed();
  };
  const times = (): number[] => Array.from(rows.all(), ({ time }) => time).sort((left, right) => left - right);
  return { backend, commit, rows, times };
}

describe('the sweep of a join', () => {
  it('removes the rows that are old, in the order in which they came, at most so many at once', () => {
    const { rows, times } = storeOf(100);
    const sweep = new Sweep(rows, -1);
    for (let time = 0; time < 10; time += 1) sweep.note(rows.put(`key-${time % 3}`, time, time));
    sweep.go(4, 6, 9);
    expect(times()).toEqual([4, 5, 6, 7, 8, 9]);
    sweep.go(4, 6, 9);
    sweep.go(4, 6, 9);
    expect(times()).toEqual([7, 8, 9]);
  });

  it('scans the store for rows that the cache has let go, and remembers none of them', () => {
    const { commit, rows, times } = storeOf(2);
    const sweep = new Sweep(rows, -1);
    for (let time = 0; time < 10; time += 1) sweep.note(rows.put(`key-${time % 3}`, time, time));
    commit();
    expect(rows.evicted).toBeGreaterThan(0);
    // The row under way is newer than all that was seen: it is scanned for too.
    sweep.note(rows.put('key-0', 20, 20));
    for (let round = 0; round < 8; round += 1) sweep.go(4, 6, 20);
    expect(times()).toEqual([7, 8, 9, 20]);
    for (let round = 0; round < 8; round += 1) sweep.go(4, 20, 20);
    expect(times()).toEqual([]);
    sweep.note(rows.put('key-1', 30, 30));
    sweep.go(4, 30, 30);
    expect(times(), 'all are in memory again, and noted').toEqual([]);
  });

  it('finds the rows of before a restart', () => {
    const { backend, commit, rows } = storeOf(100);
    for (let time = 0; time < 10; time += 1) rows.put(`key-${time % 3}`, time, time);
    commit();
    const next = storeOf(100, backend);
    const sweep = new Sweep(next.rows, 9);
    for (let time = 10; time < 14; time += 1) sweep.note(next.rows.put('key-0', time, time));
    for (let round = 0; round < 8; round += 1) sweep.go(4, 11, 13);
    expect(next.times()).toEqual([12, 13]);
  });
});
