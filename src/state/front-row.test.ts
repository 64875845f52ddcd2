import { expect, it } from 'vitest';
import { FrontRow } from './front-row.ts';
import { memoryStores } from './memory-backend.ts';
import { StoredRows } from './stored-rows.ts';
import type { ValueCodec } from './value-codec.ts';

const codec: ValueCodec<number> = {
  encode: (value) => Uint8Array.of(value),
  decode: (bytes) => ({ value: bytes[0] as number, timestamp: -1 }),
};
const keyOf = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 255);
const ID = { applicationId: 'app', store: 'rows', partition: 0 };

/** Rows that count how many they look at, deleted ones too. */
function counted(): { readonly rows: StoredRows<number>; readonly looks: () => number; commit(): void } {
  const stores = memoryStores();
  const opened = stores.open(ID);
  let looks = 0;
  const store = {
    ...opened,
    *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [Uint8Array, Uint8Array]> {
      for (const entry of opened.range(from, to)) {
        looks += 1;
        yield entry;
      }
    },
  };
  // Whatever was committed is forgotten, so each range reads the store.
  const rows = new StoredRows(store, codec, 0);
  const commit = (): void => {
    const writes: Parameters<typeof stores.apply>[0][number][] = [];
    rows.collect(writes);
    stores.apply(writes);
    rows.committed();
  };
  return { rows, looks: () => looks, commit };
}

it('takes rows from the front without passing those again that were taken since the last commit', () => {
  const { commit, looks, rows } = counted();
  const front = new FrontRow(rows, new Uint8Array(0), keyOf(0xffff));
  const count = 2_000;
  for (let n = 0; n < count; n += 1) {
    rows.put(keyOf(n), n & 255, -1);
    front.added(keyOf(n));
  }
  commit();
  for (let n = 0; n < count; n += 1) {
    const first = front.first();
    expect(first?.keyBytes).toEqual(keyOf(n));
    rows.delete(keyOf(n));
  }
  expect(front.first()).toBeUndefined();
  expect(looks()).toBeLessThan(5 * count);
});

it('finds what comes before the first one, and what is between', () => {
  const { rows } = counted();
  const front = new FrontRow(rows, new Uint8Array(0), keyOf(100));
  const add = (n: number): void => {
    rows.put(keyOf(n), n, -1);
    front.added(keyOf(n));
  };
  expect(front.first()).toBeUndefined();
  add(50);
  add(60);
  expect(front.first()?.value).toBe(50);
  add(40);
  expect(front.first()?.value).toBe(40);
  expect([...front.before(keyOf(60))].map(({ value }) => value)).toEqual([40, 50]);
  expect([...front.between(keyOf(0), keyOf(100))].map(({ value }) => value)).toEqual([40, 50, 60]);
  expect([...front.between(keyOf(50), keyOf(60))].map(({ value }) => value)).toEqual([50]);
  rows.delete(keyOf(40));
  add(40);
  expect(front.first()?.value).toBe(40);
});
