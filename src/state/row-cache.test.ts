import { expect, it } from 'vitest';
import { entryBytes } from './cache-budget.ts';
import { memoryStores } from './memory-backend.ts';
import { type CachedRow, RowCache } from './row-cache.ts';

interface Row extends CachedRow {
  readonly name: string;
  value: string | undefined;
}

/** A cache of two rows; `inMemory` is what its store would find. */
function cacheOfTwo() {
  const inMemory = new Map<string, Row>();
  const bytes = memoryStores().open({ applicationId: 'app', store: 's', partition: 0 });
  const cache = new RowCache<Row>(bytes, 2, ({ name }) => inMemory.delete(name));
  const put = (name: string, value: string | undefined): Row => {
    let row = inMemory.get(name);
    if (row === undefined) {
      const size = entryBytes(1, 0);
      row = { name, value, dirty: false, stored: !cache.complete, queued: false, here: true, size };
      inMemory.set(name, row);
      cache.added(size);
    }
    row.value = value;
    cache.touch(row);
    return row;
  };
  const collect = (): string[] => {
    const rows = cache.changed();
    for (const row of rows) cache.writes(row, 1, row.value?.length ?? 0);
    cache.collected();
    return rows.map(({ name }) => name);
  };
  return { cache, collect, inMemory, put };
}

it('writes a row once for each commit, however often it has changed, and evicts what has been unused for longest', () => {
  const { cache, collect, inMemory, put } = cacheOfTwo();
  for (const name of ['a', 'b', 'a', 'c']) put(name, name);
  expect([collect(), cache.isWriting, cache.complete]).toEqual([['a', 'b', 'c'], true, true]);
  cache.committed();
  expect([[...inMemory.keys()], cache.size, cache.evicted]).toEqual([['b', 'c'], 2, 1]);
  expect([cache.isWriting, cache.complete, collect()]).toEqual([false, false, []]);
});

it('keeps a row that changes while a commit is writing it, and has the next commit write it again', () => {
  const { cache, collect, inMemory, put } = cacheOfTwo();
  for (const name of ['a', 'b', 'c']) put(name, name);
  collect();
  put('a', 'newer');
  cache.committed();
  expect([[...inMemory.keys()], cache.dirty]).toEqual([['a', 'c'], 1]);
  expect(collect()).toEqual(['a']);
});

it('writes that a row is gone only if a commit has written it, and forgets it then', () => {
  const { cache, collect, inMemory, put } = cacheOfTwo();
  cache.forget(put('never written', undefined));
  put('a', 'a');
  expect(collect()).toEqual(['a']);
  cache.committed();
  put('a', undefined);
  expect(inMemory.has('a'), 'the byte store still has it').toBe(true);
  expect(collect()).toEqual(['a']);
  cache.committed();
  expect([inMemory.size, cache.size]).toEqual([0, 0]);
});

it('collects the same again if a commit could not be made of it', () => {
  const { cache, collect, put } = cacheOfTwo();
  const first = put('a', 'a');
  put('b', 'b');
  cache.writes(first, 1, 1);
  // The second one cannot be encoded: the commit ends here.
  expect(collect()).toEqual(['a', 'b']);
});
