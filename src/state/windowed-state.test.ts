import { describe, expect, it } from 'vitest';
import { agg } from '../aggregators/index.ts';
import { makeRecord } from '../record.ts';
import { string } from '../serdes/string.ts';
import { tumbling } from '../windows/tumbling.ts';
import type { StoreWrites } from './byte-store.ts';
import { memoryStores } from './memory-backend.ts';
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
  });
  const windower = tumbling({ size: '10ms', grace: '0ms' });
  const state = new WindowedState<string, number, number>(windower, agg.count(), store, {
    updated() {},
    closed: (pane, start) => said.push(`${pane.key} ${start}: ${pane.state}`),
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
