import { expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import { msgpackCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

it('keeps nothing of a window that is taken before it was written', () => {
  const store = new WindowStore(memoryStores().open({ applicationId: 'app', store: 's', partition: 0 }), {
    key: string(),
    codec: msgpackCodec<number>('s'),
    cacheEntries: 100,
    present: (value) => value,
    limit: { limit: Number.POSITIVE_INFINITY },
  });
  const count = (start: number, key: string): void => {
    const pane = store.pane(start, start + 10, key);
    pane.state = (pane.state ?? 0) + 1;
    store.touch(pane);
  };
  for (const start of [0, 10, 20]) for (const key of ['a', 'b']) count(start, key);
  for (const start of [0, 10]) expect(store.take({ start, end: start + 10 })).toHaveLength(2);
  expect(store.describe()).toMatchObject({ cached: 2, dirty: 2, openWindows: 1 });
  const writes: StoreWrites[] = [];
  store.collect(writes);
  expect(
    writes.flatMap(({ keys }) => keys),
    'two panes, and what the store is',
  ).toHaveLength(3);
  count(20, 'a');
  expect(store.describe(), 'it is open, and changes again').toMatchObject({ cached: 2, dirty: 1 });
  expect(store.take({ start: 20, end: 30 }).map(({ key, state }) => [key, state])).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  store.collect(writes);
  const removed = writes.at(-1)?.values.filter((value) => value === null);
  expect(removed, 'both were stored').toHaveLength(2);
  expect(store.describe()).toMatchObject({ cached: 0, dirty: 0, openWindows: 0 });
});

it('a cache that is too small keeps what has changed while a commit was under way', () => {
  const backend = memoryStores();
  const store = new WindowStore(backend.open({ applicationId: 'app', store: 's', partition: 0 }), {
    key: string(),
    codec: msgpackCodec<number>('s'),
    cacheEntries: 0,
    present: (value) => value,
    limit: { limit: Number.POSITIVE_INFINITY },
  });
  const count = (key: string): void => {
    const pane = store.pane(0, 10, key);
    pane.state = (pane.state ?? 0) + 1;
    store.touch(pane);
  };
  const begin = (): (() => void) => {
    const writes: StoreWrites[] = [];
    store.collect(writes);
    return () => {
      backend.apply(writes);
      store.committed();
    };
  };
  for (const key of ['a', 'b']) count(key);
  const land = begin();
  count('a');
  land();
  expect(store.describe(), 'b is written, and goes').toMatchObject({ cached: 1, dirty: 1 });
  count('a');
  count('b');
  begin()();
  expect(store.describe()).toMatchObject({ cached: 0, dirty: 0 });
  expect(store.take({ start: 0, end: 10 }).map(({ key, state }) => [key, state])).toEqual([
    ['a', 3],
    ['b', 2],
  ]);
});
