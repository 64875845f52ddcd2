import { describe, expect, it } from 'vitest';
import type { StoreId } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';

const id: StoreId = { applicationId: 'app', store: 'counts', partition: 0 };
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const put = (key: Uint8Array, value: Uint8Array | null) => [{ id, keys: [key], values: [value] }];

describe('memoryStores', () => {
  it('reads what was applied, and undefined for the rest', () => {
    const backend = memoryStores();
    backend.apply(put(bytes(1), bytes(10)));
    expect(backend.open(id).get(bytes(1))).toEqual(bytes(10));
    expect(backend.open(id).get(bytes(2))).toBeUndefined();
  });

  it('keeps stores of other names, partitions and applications apart', () => {
    const backend = memoryStores();
    backend.apply(put(bytes(1), bytes(10)));
    expect(backend.open({ ...id, partition: 1 }).get(bytes(1))).toBeUndefined();
    expect(backend.open({ ...id, store: 'other' }).get(bytes(1))).toBeUndefined();
    expect(backend.open({ ...id, applicationId: 'b' }).get(bytes(1))).toBeUndefined();
  });

  it('gives copies: neither side changes the bytes of the other', () => {
    const backend = memoryStores();
    const key = bytes(1);
    const value = bytes(10);
    backend.apply(put(key, value));
    key[0] = 9;
    value[0] = 99;
    const read = backend.open(id).get(bytes(1));
    expect(read).toEqual(bytes(10));
    read![0] = 77;
    expect(backend.open(id).get(bytes(1))).toEqual(bytes(10));
  });

  it('applies none of the writes when one of them is malformed', () => {
    const backend = memoryStores();
    expect(() => backend.apply([...put(bytes(1), bytes(1)), { id, keys: [bytes(2)], values: [] }])).toThrow(/length/);
    expect(backend.open(id).get(bytes(1))).toBeUndefined();
  });

  it('lists stores that hold entries', () => {
    const backend = memoryStores();
    backend.open({ ...id, store: 'empty' });
    backend.apply(put(bytes(1), bytes(1)));
    expect(backend.list('app')).toEqual([id]);
    backend.apply(put(bytes(1), null));
    expect(backend.list('app')).toEqual([]);
  });
});
