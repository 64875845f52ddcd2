import fc from 'fast-check';
import { expect } from 'vitest';
import { bytes } from '../serdes/bytes.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import type { StoreBackend, StoreId, StoreWrites } from './byte-store.ts';
import { DueStore } from './due-store.ts';
import { compareBytes } from './key-codec.ts';
import { readStore } from './store-reader.ts';
import { type TimedPlace, TimedStore } from './timed-store.ts';
import { msgpackCodec } from './value-codec.ts';

/** Where a row is: a key, a time and a number, by their indices. */
interface Place {
  readonly key: number;
  readonly time: number;
  readonly number: number;
}

type Step =
  | (Place & { readonly do: 'put' | 'delete' | 'get' | 'range'; readonly to: number; readonly value: number })
  | { readonly do: 'collect' | 'land' | 'crash' | 'all' | 'drain'; readonly at: number };

const index = fc.nat({ max: 5 });
const place = { key: index, time: index, number: fc.nat({ max: 2 }) };

/** Steps that write, read, commit, evict and restart. */
export const scripts: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom('put' as const, 'put' as const, 'delete' as const, 'get' as const, 'range' as const),
        ...place,
        to: index,
        value: fc.nat(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('collect' as const, 'land' as const, 'all' as const, 'drain' as const),
        at: index,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), at: index }) },
  ),
  { maxLength: 80 },
);

/** Keys with common prefixes and suffixes, including the bytes that mark the ends of keys. */
const KEYS = [[], [0], [0, 0], [0, 255], [255], [1, 0, 2]].map((each) => Uint8Array.from(each));
const TIMES = [0, 1, 2, 2 ** 32 - 1, 2 ** 40, 2 ** 53 - 1];

interface Row extends Place {
  readonly value: number;
}

/** A store and a list of its expected contents, through commits, evictions and restarts. */
class Checked<S extends { collect(into: StoreWrites[]): void; committed(): void }> {
  store: S;
  rows = new Map<string, Row>();
  readonly #backend: StoreBackend;
  readonly #open: () => S;
  #durable = new Map<string, Row>();
  #flight: { writes: StoreWrites[]; rows: Map<string, Row> } | undefined;

  constructor(backend: StoreBackend, open: () => S) {
    this.#backend = backend;
    this.#open = open;
    this.store = open();
  }

  land(): void {
    if (this.#flight === undefined) return;
    this.#backend.apply(this.#flight.writes);
    this.#durable = this.#flight.rows;
    this.#flight = undefined;
    this.store.committed();
  }

  collect(): void {
    this.land();
    const writes: StoreWrites[] = [];
    this.store.collect(writes);
    this.#flight = { writes, rows: new Map(this.rows) };
  }

  crash(): void {
    this.#flight = undefined;
    this.rows = new Map(this.#durable);
    this.store = this.#open();
  }

  put(row: Row): void {
    this.rows.set(`${row.key} ${row.time} ${row.number}`, row);
  }

  delete({ key, number, time }: Place): void {
    this.rows.delete(`${key} ${time} ${number}`);
  }
}

const keyAt = (at: number): Uint8Array => KEYS[at] as Uint8Array;
/** The same as text, whose values are their own identities. */
const TEXTS = ['', '\0', '\0\0', '\u{10ffff}', 'ÿ', '\u0001\0\u0002'];
const timeAt = (at: number): number => TIMES[at] as number;
const ENDED = { do: 'collect', at: 0 } as const;
const LOOKED = { do: 'all', at: 0 } as const;

/** Checks that a timed store behaves like a list of rows sorted by key bytes, time and number. */
export function checkTimed(
  backend: StoreBackend,
  id: StoreId,
  cacheEntries: number,
  script: readonly Step[],
  kind: 'bytes' | 'text' = 'bytes',
): void {
  if (kind === 'bytes') checkTimedOf(bytes(), KEYS, backend, id, cacheEntries, script);
  else checkTimedOf(string(), TEXTS, backend, id, cacheEntries, script);
}

function checkTimedOf<K>(
  serde: Serde<K>,
  all: readonly NonNullable<K>[],
  backend: StoreBackend,
  id: StoreId,
  cacheEntries: number,
  script: readonly Step[],
): void {
  const codec = msgpackCodec<number>('s');
  const keyAt = (at: number): NonNullable<K> => all[at] as NonNullable<K>;
  const bytesAt = (at: number): Uint8Array => serde.serialize(keyAt(at));
  const spec = { name: 's', kind: 'timed', key: serde, value: codec, fingerprint: 'test' } as const;
  const checked = new Checked(backend, () => new TimedStore(backend.open(id), serde, codec, cacheEntries));
  /** Where rows were put, in the life of the store. */
  const places = new Map<string, TimedPlace<number>>();
  const sorted = (keep: (row: Row) => boolean) =>
    [...checked.rows.values()]
      .filter(keep)
      .sort(
        (left, right) =>
          compareBytes(bytesAt(left.key), bytesAt(right.key)) || left.time - right.time || left.number - right.number,
      )
      .map(({ key, number, time, value }) => ({ key: keyAt(key), time: timeAt(time), number, value }));
  for (const step of [...script, LOOKED, ENDED, LOOKED]) {
    const { store } = checked;
    if (step.do === 'put') {
      const place = store.put(keyAt(step.key), timeAt(step.time), step.value, step.number);
      places.set(`${step.key} ${step.time} ${step.number}`, place);
      checked.put(step);
    } else if (step.do === 'delete') {
      const place = places.get(`${step.key} ${step.time} ${step.number}`);
      if (step.value % 2 === 0 || place === undefined) {
        store.delete(keyAt(step.key), timeAt(step.time), step.number);
      } else {
        expect(store.removeOld(place, place.time - 1)).toBe(false);
        expect(store.removeOld(place, place.time)).toBe(true);
      }
      checked.delete(step);
    } else if (step.do === 'get') {
      const known = checked.rows.get(`${step.key} ${step.time} ${step.number}`);
      expect(store.get(keyAt(step.key), timeAt(step.time), step.number)).toBe(known?.value);
    } else if (step.do === 'range') {
      const rows = sorted(({ key, time }) => key === step.key && time >= step.time && time <= step.to);
      expect([...store.range(keyAt(step.key), timeAt(step.time), timeAt(step.to))]).toEqual(rows);
      const listed = store.list(keyAt(step.key), timeAt(step.time), timeAt(step.to));
      expect(listed.map(({ number, time, value }) => ({ key: keyAt(step.key), time, number, value }))).toEqual(rows);
      const cached = store.describe().cached;
      const seen = [...readStore(spec, store.view()).rowsOf(keyAt(step.key), timeAt(step.time), timeAt(step.to))];
      expect(seen.map(({ value }) => value)).toEqual(rows.map(({ value }) => value));
      expect(store.describe().cached, 'looking grows no cache').toBe(cached);
    } else if (step.do === 'all') {
      const rows = sorted(() => true);
      expect([...store.all()]).toEqual(rows);
      const seen = [...readStore(spec, store.view()).range()];
      expect(seen).toEqual(rows.map(({ key, time, value }) => ({ key, value, timestamp: time })));
    } else if (step.do === 'drain' && step.at % 2 === 1) {
      let next = store.sweep(undefined, 2, timeAt(step.at));
      while (next !== undefined) next = store.sweep(next, 2, timeAt(step.at));
      for (const row of checked.rows.values()) if (row.time <= step.at) checked.delete(row);
    } else if (step.do === 'drain') {
      // Rows of a range may be deleted while iterating.
      for (const { number, time } of store.range(keyAt(step.at))) store.delete(keyAt(step.at), time, number);
      for (const row of checked.rows.values()) if (row.key === step.at) checked.delete(row);
    } else {
      if (step.do === 'crash') places.clear();
      checked[step.do]();
    }
  }
}

/** Checks that a due store behaves like a list of rows sorted by time and key bytes. */
export function checkDue(backend: StoreBackend, id: StoreId, cacheEntries: number, script: readonly Step[]): void {
  const codec = msgpackCodec<number>('s');
  const spec = { name: 's', kind: 'due', key: bytes(), value: codec, fingerprint: 'test' } as const;
  const checked = new Checked(backend, () => new DueStore(backend.open(id), bytes(), codec, cacheEntries));
  const sorted = (keep: (row: Row) => boolean) =>
    [...checked.rows.values()]
      .filter(keep)
      .sort((left, right) => left.time - right.time || compareBytes(keyAt(left.key), keyAt(right.key)))
      .map(({ key, time, value }) => ({ time: timeAt(time), key: keyAt(key), value }));
  for (const step of [...script, LOOKED, ENDED, LOOKED]) {
    const { store } = checked;
    if (step.do === 'put') {
      store.put(timeAt(step.time), keyAt(step.key), step.value);
      checked.put({ ...step, number: 0 });
    } else if (step.do === 'delete') {
      store.delete(timeAt(step.time), keyAt(step.key));
      checked.delete({ ...step, number: 0 });
    } else if (step.do === 'get') {
      const known = checked.rows.get(`${step.key} ${step.time} 0`);
      expect(store.get(timeAt(step.time), keyAt(step.key))).toBe(known?.value);
    } else if (step.do === 'range') {
      expect([...store.dueBy(timeAt(step.to))]).toEqual(sorted(({ time }) => time <= step.to));
      const later = sorted(({ time }) => time >= step.time);
      expect([...store.dueBy(timeAt(step.to), timeAt(step.time))]).toEqual(
        later.filter(({ time }) => time <= timeAt(step.to)),
      );
      expect(store.nextTime(timeAt(step.time))).toBe(later[0]?.time ?? Number.POSITIVE_INFINITY);
    } else if (step.do === 'all') {
      const rows = sorted(() => true);
      const { cached } = store.describe();
      expect([...store.all()]).toEqual(rows);
      expect([...readStore(spec, store.view()).range()]).toEqual(
        rows.map(({ key, time, value }) => ({ key, value, timestamp: time })),
      );
      expect(store.describe().cached, 'looking grows no cache').toBe(cached);
    } else if (step.do === 'drain') {
      const due = sorted(({ time }) => time <= step.at);
      const seen: unknown[] = [];
      for (const row of store.dueBy(timeAt(step.at))) {
        seen.push(row);
        store.delete(row.time, row.key);
      }
      expect(seen).toEqual(due);
      for (const row of checked.rows.values()) if (row.time <= step.at) checked.delete(row);
    } else checked[step.do]();
    const first = sorted(() => true)[0]?.time ?? Number.POSITIVE_INFINITY;
    expect(checked.store.firstTime).toBe(first);
  }
}
