import { describe, expect, it } from 'vitest';
import { json } from '../serdes/json.ts';
import { string } from '../serdes/string.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import type { StateHolder } from './state-holder.ts';
import { readStore } from './store-reader.ts';
import { type KeyValueSpec, openStore, resolveSpec, type WindowSpec } from './store-spec.ts';
import { serdeCodec } from './value-codec.ts';

interface Cart {
  readonly items: string[];
}

const id = { applicationId: 'app', store: 'carts', partition: 0 };
const settings = { cacheEntries: 2, limit: { limit: Number.POSITIVE_INFINITY } };
const base = {
  name: 'carts',
  value: serdeCodec(json<Cart>(), 'carts'),
  fingerprint: 'carts',
  present: (cart: Cart) => cart.items,
};

function commit(store: StateHolder, backend = memoryStores()): ByteStore {
  const writes: StoreWrites[] = [];
  store.collect(writes);
  backend.apply(writes);
  store.committed();
  return backend.open(id);
}

describe('a store as data', () => {
  const spec: KeyValueSpec<string, Cart, string[]> = { ...base, kind: 'keyValue', key: 'upstream' };

  it('knows its keys by itself, or from planning', () => {
    expect(resolveSpec(spec, undefined)).toBeUndefined();
    expect(resolveSpec(spec, string())?.key.name).toBe('string');
    expect(resolveSpec({ ...spec, key: json<string>() }, string())?.key.name).toBe('json');
  });

  it('is read from its spec alone, without the step that wrote it', () => {
    const backend = memoryStores();
    const resolved = { ...spec, key: string() };
    const store = openStore(resolved, backend.open(id), settings);
    for (const key of ['b', 'a', 'c']) store.put(store.entry(key), { items: [key, 'more'] }, 5);
    const stored = commit(store, backend);
    const reader = readStore(resolved, stored);
    expect(reader.get('a')).toEqual({ key: 'a', value: ['a', 'more'], timestamp: 5 });
    expect([...reader.range('b')].map(({ key }) => key)).toEqual(['b', 'c']);
  });

  it('gives away what is the reader’s own', () => {
    const resolved = { ...spec, key: string() };
    const store = openStore(resolved, memoryStores().open(id), settings);
    store.put(store.entry('a'), { items: ['one'] }, 5);
    const [entry] = readStore(resolved, store.view()).range();
    entry?.value.push('two');
    expect(store.get('a')).toEqual({ items: ['one'] });
  });

  it('shows panes that are not committed, and hides those of closed windows at once', () => {
    const windows: WindowSpec<string, Cart, string[]> = { ...base, kind: 'window', key: string(), sizeMs: 10 };
    const resolved = resolveSpec(windows, undefined);
    if (resolved === undefined) throw new Error('the spec has a key');
    const backend = memoryStores();
    const store = openStore(resolved, backend.open(id), settings);
    const put = (start: number, key: string, item: string): void => {
      const pane = store.pane(start, start + 10, key);
      pane.state = { items: [item] };
      pane.timestamp = start;
      store.touch(pane);
    };
    put(0, 'a', 'x');
    put(10, 'a', 'y');
    const reader = () => readStore(resolved, store.view());
    expect([...reader().windowsOf('a')].map(({ value }) => value)).toEqual([['x'], ['y']]);
    commit(store, backend);
    put(10, 'b', 'z');
    store.take({ start: 0, end: 10 });
    expect([...reader().range()].map(({ key, window }) => [key, window.start])).toEqual([
      ['a', 10],
      ['b', 10],
    ]);
    expect(reader().get('a', { start: 0, end: 10 })).toBeUndefined();
    expect(readStore(resolved, backend.open(id)).get('a', { start: 0, end: 10 })?.value, 'it is committed').toEqual([
      'x',
    ]);
  });
});
