import { describe, expect, it } from 'vitest';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import { compareBytes } from './sorted-keys.ts';
import { TimedStore } from './timed-store.ts';
import { msgpackCodec } from './value-codec.ts';

const ID = { applicationId: 'app', store: 'rows', partition: 0 };

function storeOf(cacheEntries: number, key: Serde<string> = string(), backend = memoryStores()) {
  const codec = msgpackCodec<string>('rows');
  let encoded = 0;
  const counting: typeof codec = {
    encode(value, time) {
      encoded += 1;
      return codec.encode(value, time);
    },
    decode: (bytes) => codec.decode(bytes),
  };
  const rows = new TimedStore<string, string>(backend.open(ID), key, counting, cacheEntries);
  const commit = (): readonly Uint8Array[] => {
    const writes: StoreWrites[] = [];
    rows.collect(writes);
    backend.apply(writes);
    rows.committed();
    return writes.flatMap(({ keys }) => keys);
  };
  const all = (): string[] => Array.from(rows.all(), ({ value }) => value);
  return { all, backend, commit, encoded: () => encoded, rows };
}

describe('a timed store', () => {
  it('makes no bytes of rows that come and go between two commits', () => {
    const { commit, encoded, rows } = storeOf(100);
    const places = Array.from({ length: 5000 }, (_, at) => rows.put(`key-${at % 7}`, at, 'row'));
    for (const place of places) expect(rows.removeOld(place, 4999)).toBe(true);
    expect(commit()).toEqual([]);
    expect(encoded()).toBe(0);
    expect(rows.describe()).toEqual({ name: 'rows', cached: 0, dirty: 0 });
  });

  it('writes what has changed in the order of the store', () => {
    const { all, commit, rows } = storeOf(1000);
    const put = (at: number) => rows.put(`key-${(at * 7) % 40}`, (at * 31) % 100, `${at}`, at);
    const places = Array.from({ length: 200 }, (_, at) => put(at));
    commit();
    for (const place of places.slice(0, 100)) rows.removeOld(place, 100);
    for (let at = 200; at < 300; at += 1) put(at);
    const keys = commit();
    expect(keys).toHaveLength(200);
    expect(keys).toEqual([...keys].sort(compareBytes));
    expect(all()).toHaveLength(200);
  });

  it('removes rows by their places, also those that the cache has let go', () => {
    const { all, backend, commit, rows } = storeOf(2);
    const places = Array.from({ length: 10 }, (_, at) => rows.put('key', at, `${at}`));
    commit();
    for (const place of places) rows.removeOld(place, 6);
    expect(all()).toEqual(['7', '8', '9']);
    commit();
    expect(storeOf(2, string(), backend).all()).toEqual(['7', '8', '9']);
  });

  it('keeps the many rows of one key in order as they come at the end and go at the front', () => {
    const { all, rows } = storeOf(1000);
    const places = Array.from({ length: 500 }, (_, at) => rows.put('key', at, `${at}`));
    for (const place of places) {
      if (place.time % 100 !== 99) rows.removeOld(place, 499);
    }
    expect(all()).toEqual(['99', '199', '299', '399', '499']);
    rows.put('key', 150, 'between');
    expect(rows.list('key', 100, 299).map(({ value }) => value)).toEqual(['between', '199', '299']);
    expect(rows.get('key', 99)).toBe('99');
  });

  it('takes keys for one if their bytes are, also after a restart', () => {
    const key: Serde<string> = {
      name: 'lower case',
      serialize: (text) => string().serialize(text.toLowerCase()),
      deserialize: (data) => string().deserialize(data).toUpperCase(),
    };
    const { backend, commit, rows } = storeOf(100, key);
    rows.put('Key', 1, 'one');
    rows.put('kEY', 2, 'two');
    expect(rows.list('key', 0, 9)).toHaveLength(2);
    commit();
    const next = storeOf(0, key, backend);
    next.rows.put('KEY', 3, 'three');
    expect(next.rows.sweep(undefined, 10, 1)).toBe(undefined);
    expect([...next.rows.all()]).toEqual([
      { key: 'KEY', time: 2, number: 0, value: 'two' },
      { key: 'KEY', time: 3, number: 0, value: 'three' },
    ]);
    next.commit();
    expect(next.rows.list('key', 0, 9).map(({ value }) => value)).toEqual(['two', 'three']);
  });
});
