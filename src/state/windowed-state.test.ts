import { describe, expect, it } from 'vitest';
import { agg } from '../aggregators/index.ts';
import { makeRecord } from '../record.ts';
import { string } from '../serdes/string.ts';
import { tumbling } from '../windows/tumbling.ts';
import type { StoreBackend, StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
import { NUMBER_BYTES, writeNumber } from './numbers.ts';
import { TIME_KEY } from './step-time.ts';
import { msgpackCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';
import { WindowedState } from './windowed-state.ts';

/** Counts in windows of 10 ms without grace, with the rows and what was late. */
function counting(limit: { limit: number }, backend = memoryStores()) {
  const said: string[] = [];
  const bytes = backend.open({ applicationId: 'app', store: 's', partition: 0 });
  const store = new WindowStore(bytes, {
    key: string(),
    codec: msgpackCodec<number>('s'),
    cacheEntries: 1000,
    present: (value) => value,
    limit,
    sizeMs: 10,
  });
  const windower = tumbling({ size: '10ms', grace: '0ms' });
  const state = new WindowedState<string, number, number>(windower, agg.count(), store, {
    updated() {},
    merged() {},
    outside() {},
    closed: ({ key, state: count, window }) => said.push(`${key} ${window.start}: ${count}`),
    late: (missed) => said.push(`late for ${missed.map(({ start }) => start).join()}`),
  });
  const add = (key: string, timestamp: number): void =>
    state.add(key, makeRecord(key, 1, timestamp, [], 'topic', 0, 0) as never);
  const commit = (): void => {
    const writes: StoreWrites[] = [];
    store.collect(writes);
    backend.apply(writes);
    store.committed();
  };
  const take = (): string[] => said.splice(0);
  return { add, state, store, commit, take };
}

describe('windows whose time has a limit', () => {
  it('take records beyond it, and close when it rises', () => {
    const task = { limit: 12 };
    const { add, state, store, take } = counting(task);
    add('a', 3);
    add('a', 35);
    expect(take(), 'stream time is 12').toEqual(['a 0: 1']);
    add('b', 15);
    add('a', 8);
    expect([store.time.seen, store.time.streamTime]).toEqual([35, 12]);
    expect(take(), 'what lies before the limit is late, what lies behind it is not').toEqual(['late for 0']);
    task.limit = 29;
    state.advance();
    expect(take()).toEqual(['b 10: 1']);
    task.limit = Number.POSITIVE_INFINITY;
    state.advance();
    expect([store.time.streamTime, take()], 'no further than what was seen').toEqual([35, []]);
    add('a', 40);
    expect(take()).toEqual(['a 30: 1']);
  });

  it('know after a restart what they have seen', () => {
    const backend = memoryStores();
    const before = counting({ limit: 12 }, backend);
    before.add('a', 15);
    before.add('a', 35);
    before.commit();
    const task = { limit: 12 };
    const { state, take } = counting(task, backend);
    state.advance();
    expect(take()).toEqual([]);
    task.limit = Number.POSITIVE_INFINITY;
    state.advance();
    expect(take()).toEqual(['a 10: 1']);
  });

  it('close all at the end of the input, whatever the limit', () => {
    const { add, state, take } = counting({ limit: -1 });
    add('b', 15);
    add('a', 3);
    expect(take()).toEqual([]);
    state.closeAll();
    expect(take()).toEqual(['a 0: 1', 'b 10: 1']);
    add('a', 4);
    expect(take()).toEqual(['late for 0']);
  });
});

describe('stored windows', () => {
  it('are found again by their keys alone, with seeks over windows that hold many', () => {
    const backend = memoryStores();
    const before = counting({ limit: -1 }, backend);
    for (let at = 0; at < 300; at += 1) before.add(`key ${at}`, 5);
    for (let at = 1; at < 100; at += 1) before.add('a', at * 10);
    before.commit();
    const read = { keys: 0, values: 0 };
    const watched: StoreBackend = {
      ...backend,
      open(id) {
        const store = backend.open(id);
        return {
          id,
          get: (key) => store.get(key),
          *range(from, to) {
            for (const entry of store.range(from, to)) {
              read.values += 1;
              yield entry;
            }
          },
          *keys(from, to) {
            for (const key of store.keys(from, to)) {
              read.keys += 1;
              yield key;
            }
          },
        };
      },
    };
    const { store } = counting({ limit: -1 }, watched);
    expect(store.openWindows).toBe(100);
    expect(read.values).toBe(0);
    expect(read.keys).toBeLessThan(130);
  });

  it('of a version that kept no ends are opened as they are, and go on so', () => {
    const backend = memoryStores();
    const id = { applicationId: 'app', store: 's', partition: 0 };
    const key = (start: number, text: string): Uint8Array => {
      const bytes = new Uint8Array(NUMBER_BYTES + text.length);
      writeNumber(bytes, 0, start);
      bytes.set(string().serialize(text), NUMBER_BYTES);
      return bytes;
    };
    const time = new Uint8Array(NUMBER_BYTES);
    writeNumber(time, 0, 14);
    const codec = msgpackCodec<number>('s');
    backend.apply([
      {
        id,
        keys: [key(0, 'a'), key(10, 'a'), key(10, 'b'), TIME_KEY],
        values: [codec.encode(3, 4), codec.encode(1, 11), codec.encode(2, 14), time],
      },
    ]);
    const first = counting({ limit: Number.POSITIVE_INFINITY }, backend);
    expect([first.store.openWindows, first.store.time.streamTime]).toEqual([2, 14]);
    first.add('b', 15);
    expect(first.take()).toEqual(['a 0: 3']);
    first.add('c', 21);
    first.commit();
    expect(first.take()).toEqual(['a 10: 1', 'b 10: 3']);
    expect(backend.open(id).get(key(20, 'c'))).toEqual(codec.encode(1, 21));
    const second = counting({ limit: Number.POSITIVE_INFINITY }, backend);
    second.add('c', 30);
    expect(second.take()).toEqual(['c 20: 1']);
  });
});
