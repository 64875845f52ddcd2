import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { DueStore } from './due-store.ts';
import { memoryStores } from './memory-backend.ts';
import { checkDue, checkTimed, scripts } from './ordered-stores.fixtures.ts';
import { compareBytes } from './sorted-keys.ts';
import { timedEnd, timedKey, timedParts, timedPrefix } from './timed-keys.ts';
import { TimedStore } from './timed-store.ts';
import { msgpackCodec } from './value-codec.ts';

const id = { applicationId: 'app', store: 's', partition: 0 };

describe('stores that are ordered', () => {
  it('by key and time are a sorted list, whatever is committed, evicted and reopened', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 3, 1000),
        scripts,
        fc.constantFrom('bytes' as const, 'text' as const),
        (cacheEntries, script, kind) => checkTimed(memoryStores(), id, cacheEntries, script, kind),
      ),
      { numRuns: 500 },
    );
  });

  it('by time and key are a sorted list, whatever is committed, evicted and reopened', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 3, 1000), scripts, (cacheEntries, script) =>
        checkDue(memoryStores(), id, cacheEntries, script),
      ),
      { numRuns: 500 },
    );
  });

  it('keep the order of keys, however long, and of times within a key', () => {
    const key = fc.uint8Array({ maxLength: 4, max: 255 });
    const number = fc.nat({ max: 2 ** 50 });
    const parts = fc.record({ key, time: number, number });
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const [a, b] = [left, right].map((each) => timedKey(each.key, each.time, each.number));
        const order = compareBytes(left.key, right.key) || left.time - right.time || left.number - right.number;
        expect(Math.sign(compareBytes(a as Uint8Array, b as Uint8Array))).toBe(Math.sign(order));
        expect(timedParts(a as Uint8Array)).toEqual(left);
        const inside = compareBytes(b as Uint8Array, timedPrefix(left.key)) >= 0;
        const within = inside && compareBytes(b as Uint8Array, timedEnd(left.key)) < 0;
        expect(within).toBe(compareBytes(left.key, right.key) === 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('keep the time of their step, and hold no more clean entries than they may', () => {
    const backend = memoryStores();
    const limit = { limit: Number.POSITIVE_INFINITY };
    const codec = msgpackCodec<number>('s');
    const open = () => new TimedStore(backend.open(id), string(), codec, 10);
    const store = open();
    expect(store.keepTime(limit).streamTime).toBe(-1);
    for (let at = 0; at < 100; at += 1) store.put('\u00ff', at, at);
    store.keepTime(limit).observe(77);
    const commit = (each: Pick<TimedStore<string, number>, 'collect' | 'committed'>): void => {
      const writes: StoreWrites[] = [];
      each.collect(writes);
      backend.apply(writes);
      each.committed();
    };
    commit(store);
    expect(store.describe()).toEqual({ name: 's', cached: 10, dirty: 0, streamTime: 77 });
    const again = open();
    expect(again.keepTime(limit).streamTime).toBe(77);
    expect([...again.all()].map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(again.freeNumber('\u00ff', 5)).toBe(1);
    const due = new DueStore(memoryStores().open(id), string(), codec, 10);
    for (let at = 0; at < 3000; at += 1) {
      due.put(at, 'a', at);
      commit(due);
      due.delete(at, 'a');
    }
    commit(due);
    expect(due.describe()).toMatchObject({ cached: 0, dirty: 0 });
  });
});
