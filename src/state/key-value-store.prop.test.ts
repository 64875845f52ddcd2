import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../serdes/json.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { KeyValueStore } from './key-value-store.ts';
import { memoryStores } from './memory-backend.ts';
import { readStore } from './store-reader.ts';
import { msgpackCodec } from './value-codec.ts';

type Step =
  | { readonly do: 'put'; readonly key: number; readonly value: number; readonly timestamp: number }
  | { readonly do: 'delete' | 'get'; readonly key: number }
  /** A commit that is under way while the next steps happen, until `land`. */
  | { readonly do: 'collect' | 'land' | 'crash' | 'look' };

const key = fc.nat({ max: 5 });
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.nat(), timestamp: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'get' as const), key }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('collect' as const, 'land' as const, 'look' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  ),
  { maxLength: 60 },
);

/** Keys whose order in UTF-16 is not that of their bytes. */
const texts = ['a', 'b', 'é', '\uFF21', '\u{1F600}', ''];
const objects = [{ a: 1 }, { a: 2 }, { b: 1 }, { a: '1' }, { a: null }, {}];

type Model = Map<number, { value: number; timestamp: number }>;

function check<K>(
  serde: Serde<K>,
  keys: readonly NonNullable<K>[],
  cacheEntries: number,
  script: readonly Step[],
): void {
  const backend = memoryStores();
  const id = { applicationId: 'app', store: 's', partition: 0 };
  const open = (): KeyValueStore<K, number> =>
    new KeyValueStore(backend.open(id), serde, msgpackCodec<number>('s'), cacheEntries);
  let store = open();
  let model: Model = new Map();
  let durable: Model = new Map();
  let flight: { writes: StoreWrites[]; model: Model } | undefined;
  const land = (): void => {
    if (flight === undefined) return;
    backend.apply(flight.writes);
    durable = flight.model;
    flight = undefined;
    store.committed();
  };
  for (const step of [...script, { do: 'look' } as const, { do: 'land' } as const, { do: 'look' } as const]) {
    const at = 'key' in step ? (keys[step.key] as NonNullable<K>) : undefined;
    if (step.do === 'put') {
      store.put(store.entry(at as NonNullable<K>), step.value, step.timestamp);
      model.set(step.key, { value: step.value, timestamp: step.timestamp });
    } else if (step.do === 'delete') {
      store.delete(store.entry(at as NonNullable<K>));
      model.delete(step.key);
    } else if (step.do === 'get') {
      const entry = store.entry(at as NonNullable<K>);
      const expected = model.get(step.key);
      expect({ value: entry.value, timestamp: entry.timestamp }).toEqual(
        expected ?? { value: undefined, timestamp: -1 },
      );
    } else if (step.do === 'collect') {
      land();
      const writes: StoreWrites[] = [];
      store.collect(writes);
      flight = { writes, model: new Map(model) };
    } else if (step.do === 'land') {
      land();
    } else if (step.do === 'crash') {
      flight = undefined;
      model = new Map(durable);
      store = open();
    } else {
      const { cached } = store.describe();
      const rows = keys
        .map((each, at) => ({ key: each, row: model.get(at) }))
        .filter(({ row }) => row !== undefined)
        .sort((left, right) => compareBytes(serde.serialize(left.key), serde.serialize(right.key)));
      const entries = rows.map(({ key: each, row }) => ({ key: each, ...row }));
      expect([...store.entries()]).toEqual(entries);
      const spec = {
        name: 's',
        kind: 'keyValue',
        key: serde,
        value: msgpackCodec<number>('s'),
        fingerprint: 'test',
      } as const;
      const reader = readStore(spec, store.view());
      expect([...reader.range()]).toEqual(entries);
      const [first, second] = entries;
      expect([...reader.range(second?.key)]).toEqual(second === undefined ? entries : entries.slice(1));
      if (second !== undefined) expect([...reader.range(undefined, second.key)]).toEqual([first]);
      for (const [at, each] of keys.entries()) {
        const row = model.get(at);
        expect(reader.get(each)).toEqual(row === undefined ? undefined : { key: each, ...row });
      }
      expect(store.describe().cached, 'looking grows no cache').toBe(cached);
    }
  }
}

describe('key-value store', () => {
  it('is a map, whatever is committed, evicted and reopened', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 1000), steps, (cacheEntries, script) => {
        check(string(), texts, cacheEntries, script);
        check(json<NonNullable<unknown>>(), objects, cacheEntries, script);
      }),
      { numRuns: 500 },
    );
  });

  it('holds no more clean entries than it may', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 }), fc.array(fc.string(), { maxLength: 40 }), (cacheEntries, keys) => {
        const backend = memoryStores();
        const bytes = backend.open({ applicationId: 'app', store: 's', partition: 0 });
        const store = new KeyValueStore(bytes, string(), msgpackCodec<number>('s'), cacheEntries);
        for (const each of keys) store.put(store.entry(each), 1, 0);
        const writes: StoreWrites[] = [];
        store.collect(writes);
        backend.apply(writes);
        store.committed();
        expect(store.describe()).toMatchObject({ dirty: 0 });
        expect(store.describe().cached).toBeLessThanOrEqual(cacheEntries);
        for (const each of keys) expect(store.get(each)).toBe(1);
      }),
    );
  });
});
