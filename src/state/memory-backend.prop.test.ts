import { array, assert, boolean, option, property, record, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoreId } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import { compareBytes } from './sorted-keys.ts';

const id: StoreId = { applicationId: 'app', store: 'counts', partition: 0 };
const key = uint8Array({ minLength: 0, maxLength: 3, max: 3 });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('memoryStores, laws', () => {
  it('equals a sorted array under random writes and ranges', () => {
    const step = record({ key, value: option(uint8Array({ maxLength: 2 }), { nil: null }) });
    assert(
      property(array(step, { maxLength: 400 }), option(key), option(key), (steps, from, to) => {
        const backend = memoryStores();
        const model = new Map<string, Uint8Array>();
        for (const { key, value } of steps) {
          backend.apply([{ id, keys: [key], values: [value] }]);
          if (value === null) model.delete(hex(key));
          else model.set(hex(key), value);
        }
        const expected = [...model]
          .map(([k, v]) => [new Uint8Array(Buffer.from(k, 'hex')), v] as const)
          .filter(([k]) => (from === null || compareBytes(k, from) >= 0) && (to === null || compareBytes(k, to) < 0))
          .sort(([a], [b]) => Buffer.compare(a, b));
        expect([...backend.open(id).range(from ?? undefined, to ?? undefined)]).toEqual(expected);
        expect([...backend.open(id).keys(from ?? undefined, to ?? undefined)]).toEqual(expected.map(([k]) => k));
      }),
    );
  });

  it('keeps its order over thousands of keys, in any order of insertion', () => {
    assert(
      property(array(uint8Array({ minLength: 2, maxLength: 2 }), { minLength: 2000, maxLength: 3000 }), (keys) => {
        const backend = memoryStores();
        backend.apply([{ id, keys, values: keys }]);
        const store = backend.open(id);
        const expected = [...new Set(keys.map(hex))].sort();
        expect([...store.range()].map(([k]) => hex(k))).toEqual(expected);
        for (const k of keys) expect(store.get(k)).toEqual(k);
      }),
      { numRuns: 10 },
    );
  });

  it('goes on in order, each untouched key once, while entries change under an iteration', () => {
    const change = record({ key: uint8Array({ minLength: 1, maxLength: 1 }), remove: boolean() });
    assert(
      property(array(change, { maxLength: 200 }), (changes) => {
        const backend = memoryStores();
        const all = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i));
        backend.apply([{ id, keys: all, values: all }]);
        const touched = new Set(changes.map((c) => hex(c.key)));
        const pending = [...changes];
        const seen: string[] = [];
        for (const [k] of backend.open(id).range()) {
          seen.push(hex(k));
          const next = pending.pop();
          if (next !== undefined) backend.apply([{ id, keys: [next.key], values: [next.remove ? null : next.key] }]);
        }
        expect(seen).toEqual([...new Set(seen)].sort());
        expect(seen.filter((k) => !touched.has(k))).toEqual(all.map(hex).filter((k) => !touched.has(k)));
      }),
    );
  });
});
