import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { boundedStore, CacheBudget } from './cache-budget.ts';
import { DueStore } from './due-store.ts';
import { KeyValueStore } from './key-value-store.ts';
import { memoryStores } from './memory-backend.ts';
import type { StateHolder } from './state-holder.ts';
import { serdeCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

const backend = memoryStores();
const limit = { limit: Number.POSITIVE_INFINITY };
const cacheEntries = Number.POSITIVE_INFINITY;
const codec = serdeCodec(string(), 's');
const KiB = 'x'.repeat(1024);

function commit(...stores: StateHolder[]): void {
  const writes: StoreWrites[] = [];
  for (const store of stores) store.collect(writes);
  backend.apply(writes);
  for (const store of stores) store.committed();
}

describe('a budget of bytes', () => {
  it('bounds what all stores keep together, each in proportion, and is free again when they are torn down', () => {
    const budget = new CacheBudget(400 * 1024);
    const torn: (() => void)[] = [];
    const open = (store: string) =>
      boundedStore(backend.open({ applicationId: 'app', store, partition: 0 }), budget, (down) => torn.push(down));
    const table = new KeyValueStore(open('table'), string(), codec, cacheEntries);
    const due = new DueStore(open('due'), string(), codec, cacheEntries);
    const windows = new WindowStore(open('windows'), { key: string(), codec, cacheEntries, present: (v) => v, limit });
    for (let at = 0; at < 300; at += 1) {
      table.put(table.entry(`key ${at}`), KiB, at);
      due.put(at, `key ${at}`, KiB);
      const pane = windows.pane(at * 10, at * 10 + 10, 'key');
      pane.state = KiB;
      windows.touch(pane);
    }
    commit(table, due, windows);
    expect(budget.used, 'what is kept').toBeLessThanOrEqual(budget.maxBytes + 3 * 4096);
    const kept = [table, due, windows].map((store) => store.describe().cached);
    expect(Math.min(...kept), 'no store gives all').toBeGreaterThan(20);
    for (let round = 0; round < 3; round += 1) {
      for (let at = 0; at < 300; at += 1) {
        expect(table.get(`key ${at}`)).toBe(KiB);
        expect(due.get(at, `key ${at}`)).toBe(KiB);
        expect(windows.pane(at * 10, at * 10 + 10, 'key').state).toBe(KiB);
      }
      commit(table, due, windows);
      expect(budget.used).toBeLessThanOrEqual(budget.maxBytes + 3 * 4096);
    }
    for (const { end, start } of windows.endedBy(3000)) windows.take({ start, end });
    for (const { key, time } of due.all()) due.delete(time, key);
    commit(table, due, windows);
    expect([due.describe().cached, windows.describe().cached]).toEqual([0, 0]);
    for (let at = 0; at < 300; at += 1) table.delete(table.entry(`key ${at}`));
    commit(table);
    for (const down of torn) down();
    expect(budget.used).toBe(0);
  });
});
