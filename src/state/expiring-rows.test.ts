import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import { ExpiringRows } from './expiring-rows.ts';
import { KeyValueStore } from './key-value-store.ts';
import { memoryStores } from './memory-backend.ts';
import { msgpackCodec } from './value-codec.ts';
import { Waiting } from './waiting.ts';

/** Rows that live for 10 ms, with stream time held back to 5. */
function heldBack() {
  const stores = memoryStores();
  const bytes = (store: string) => stores.open({ applicationId: 'app', store, partition: 0 });
  const rows = new KeyValueStore(bytes('s'), string(), msgpackCodec<number>('s'), 100);
  const time = { limit: 5 };
  const waiting = new Waiting<string, 'rows'>(bytes('s-ttl'), string(), time, 100, ['rows']);
  const gone: string[] = [];
  const expiring = new ExpiringRows(10, rows, waiting, bytes('s'), string(), {
    expired: ({ endMs, key, value }) => gone.push(`${key}=${value}@${endMs}`),
    unread(error) {
      throw error;
    },
  });
  const write = (key: string, value: number, at: number): void => {
    expiring.observe(at);
    const entry = rows.entry(key);
    expiring.endFor(entry, key);
    expiring.put(entry, key, value, at);
  };
  return { expiring, gone, time, write };
}

describe('rows with a time to live, while stream time is held back', () => {
  it('end before a record of their key that is at their end or after it, once', () => {
    const { expiring, gone, time, write } = heldBack();
    write('ann', 1, 0);
    write('ann', 2, 9);
    expect(gone).toEqual([]);
    write('ann', 3, 19);
    expect(gone).toEqual(['ann=2@19']);
    write('ann', 4, 50);
    expect(gone).toEqual(['ann=2@19', 'ann=3@29']);
    time.limit = 59;
    expiring.advance();
    expect(gone).toHaveLength(2);
    time.limit = 60;
    expiring.advance();
    expect(gone).toEqual(['ann=2@19', 'ann=3@29']);
    expiring.observe(60);
    expect(gone).toEqual(['ann=2@19', 'ann=3@29', 'ann=4@60']);
  });

  it('stay for others, whose records may be older', () => {
    const { expiring, gone, time, write } = heldBack();
    write('ann', 1, 0);
    write('bob', 2, 30);
    write('ann', 3, 4);
    expect(gone).toEqual([]);
    time.limit = 100;
    expiring.advance();
    expect(gone).toEqual(['ann=3@14']);
  });

  it('are not found by who looks at their end or after it, and by others they are', () => {
    const { expiring, gone, write } = heldBack();
    write('ann', 1, 0);
    expect(expiring.reach(10), 'nothing to be removed yet').toBe(false);
    expect([expiring.get('ann'), expiring.timestampOf('ann'), expiring.behind]).toEqual([undefined, -1, true]);
    expiring.reach(9);
    expect([expiring.get('ann'), expiring.timestampOf('ann'), expiring.behind]).toEqual([1, 0, false]);
    expect(gone).toEqual([]);
  });
});
