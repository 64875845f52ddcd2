import { expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import { msgpackCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

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
