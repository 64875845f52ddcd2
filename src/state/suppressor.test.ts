import { describe, expect, it } from 'vitest';
import { makeRecord, type Window } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import { string } from '../serdes/string.ts';
import { heldCodec } from './held-record.ts';
import { memoryStores } from './memory-backend.ts';
import { type SuppressedRow, Suppressor } from './suppressor.ts';
import { TimedStore } from './timed-store.ts';
import { Waiting } from './waiting.ts';

/** Rows that wait 5 ms more than they have to, with a limit of stream time as those have that stand behind a shuffle. */
function suppressing(onClose: boolean) {
  const backend = memoryStores();
  const open = (store: string) => backend.open({ applicationId: 'app', store, partition: 0 });
  const codec = heldCodec(undefined, 's-rows');
  const task = { limit: 0 };
  const said: string[] = [];
  const suppressor = new Suppressor<string>(
    { onClose, delayMs: 5, maxRecords: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY, early: false },
    new TimedStore(open('s-rows'), string(), codec, 10),
    new Waiting<Uint8Array, 'rows'>(open('s'), bytes(), task, 10, ['rows']),
    string(),
    codec,
    {
      released: (key, { value }) => void said.push(`${key} ${String(value)}`),
      unread: (error) => {
        throw error;
      },
      full: () => {
        throw new Error('there is no bound');
      },
    },
  );
  const add = (key: string, value: unknown, timestamp: number, window?: Window): boolean => {
    const row = makeRecord(key, value, timestamp, [], 'topic', 0, 0) as SuppressedRow;
    return suppressor.add(key, window === undefined ? row : { ...row, window });
  };
  const at = (limit: number): string[] => {
    task.limit = limit;
    suppressor.advance();
    return said.splice(0);
  };
  return { add, at };
}

describe('rows that are held back while stream time has a limit', () => {
  it('go on when it has risen so far beyond their time as they have to wait, and not before', () => {
    const { add, at } = suppressing(false);
    expect([add('a', 1, 0), add('b', 2, 7), add('a', 3, 9)]).toEqual([false, false, false]);
    expect(at(4)).toEqual([]);
    expect(at(5)).toEqual(['a 3']);
    expect(at(11)).toEqual([]);
    expect(at(99), 'the time of the newest record is 9').toEqual([]);
    add('c', 4, 12);
    expect(at(99)).toEqual(['b 2']);
  });

  it('go on when the grace of their window is over, not with its end', () => {
    const { add, at } = suppressing(true);
    const window = { start: 0, end: 10 };
    expect([add('a', 1, 3, window), add('z', 0, 99, { start: 90, end: 100 })]).toEqual([false, false]);
    expect(at(10)).toEqual([]);
    expect(at(14)).toEqual([]);
    expect(at(15)).toEqual(['a 1']);
  });
});
