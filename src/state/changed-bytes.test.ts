import { describe, expect, it } from 'vitest';
import { ChangedBytes } from './changed-bytes.ts';
import { memoryStores } from './memory-backend.ts';
import { prefixed } from './prefixed-bytes.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const id = { applicationId: 'app', store: 's', partition: 0 };

describe('changes on top of a store', () => {
  it('are seen in order, before, during and after their commit', () => {
    const backend = memoryStores();
    backend.apply([{ id, keys: [bytes(1), bytes(3), bytes(5)], values: [bytes(1), bytes(3), bytes(5)] }]);
    const store = new ChangedBytes(backend.open(id));
    const seen = (): string =>
      Array.from(store.range(bytes(1), bytes(9)), ([key, value]) => `${key.join()}:${value.join()}`).join(' ');
    store.set(bytes(2), bytes(20));
    store.set(bytes(3), bytes(30));
    store.delete(bytes(5));
    expect(seen()).toBe('1:1 2:20 3:30');
    const [keys, values]: [Uint8Array[], (Uint8Array | null)[]] = [[], []];
    store.collect(keys, values);
    expect([seen(), store.get(bytes(5)), store.get(bytes(3))]).toEqual(['1:1 2:20 3:30', undefined, bytes(30)]);
    store.delete(bytes(2));
    store.set(bytes(5), bytes(50));
    expect(seen()).toBe('1:1 3:30 5:50');
    backend.apply([{ id, keys, values }]);
    store.committed();
    expect(seen()).toBe('1:1 3:30 5:50');
    const later: Uint8Array[] = [];
    store.collect(later, values);
    expect(later).toEqual([bytes(2), bytes(5)]);
  });
});

describe('a part of a store', () => {
  it('has the entries that begin alike, without that beginning', () => {
    const backend = memoryStores();
    const keys = [bytes(1, 9), bytes(1), bytes(1, 0), bytes(2), bytes(0, 255)];
    backend.apply([{ id, keys, values: keys }]);
    const part = prefixed(backend.open(id), bytes(1));
    expect(Array.from(part.range(), ([key]) => [...key])).toEqual([[], [0], [9]]);
    expect(Array.from(part.range(bytes(0), bytes(9)), ([key]) => [...key])).toEqual([[0]]);
    expect(part.get(bytes(9))).toEqual(bytes(1, 9));
  });
});
