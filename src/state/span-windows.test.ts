import { describe, expect, it } from 'vitest';
import { agg } from '../aggregators/index.ts';
import { makeRecord } from '../record.ts';
import { string } from '../serdes/string.ts';
import { session } from '../windows/session.ts';
import { sliding } from '../windows/sliding.ts';
import { memoryStores } from './memory-backend.ts';
import { SessionWindows } from './session-windows.ts';
import { SlidingWindows } from './sliding-windows.ts';
import { SpanStore } from './span-store.ts';
import { msgpackCodec } from './value-codec.ts';
import type { WindowEvents } from './window-machine.ts';

const count = agg.custom({
  init: () => 0,
  add: (n: number) => n + 1,
  merge: (one: number, other: number) => one + other,
});
const five = { session: session({ gap: '5ms', grace: '0ms' }), sliding: sliding({ difference: '5ms', grace: '0ms' }) };

/** Counts in windows of 5 ms without grace, with the rows and what was late. */
function counting(kind: keyof typeof five, limit: { limit: number }) {
  const said: string[] = [];
  const store = new SpanStore<string, number>(memoryStores().open({ applicationId: 'app', store: 's', partition: 0 }), {
    key: string(),
    codec: msgpackCodec<number>('s'),
    cacheEntries: 1000,
    present: (value) => value,
    limit,
    byEnd: kind === 'session',
    openMs: kind === 'session' ? 5 : 0,
  });
  const events: WindowEvents<string, number> = {
    updated() {},
    merged() {},
    outside() {},
    closed: ({ key, state, window }) => said.push(`${key} [${window.start},${window.end}]: ${state}`),
    late: (missed) => said.push(`late for ${missed.map(({ end, start }) => `[${start},${end}]`).join()}`),
  };
  const windows =
    kind === 'session'
      ? new SessionWindows<string, number, number>(five.session, count as never, store, events)
      : new SlidingWindows<string, number, number>(five.sliding, count, store, events);
  const add = (key: string, timestamp: number): void =>
    windows.add(key, makeRecord(key, 1, timestamp, [], 'topic', 0, 0) as never);
  return { add, advance: () => windows.advance(), take: () => said.splice(0) };
}

describe('windows of their keys whose time has a limit', () => {
  it('that are over take no record, also where the limit has risen and they have not been closed yet (SE-6)', () => {
    for (const closedFirst of [true, false]) {
      const task = { limit: 4 };
      const { add, advance, take } = counting('session', task);
      add('a', 3);
      add('b', 50);
      task.limit = 40;
      if (closedFirst) advance();
      add('a', 6);
      advance();
      expect(take().sort(), `closed first: ${closedFirst}`).toEqual(['a [3,3]: 1', 'late for [6,6]']);
    }
  });

  it.each(['session', 'sliding'] as const)('of the kind %s close with a record that is too late for them', (kind) => {
    const task = { limit: 40 };
    const { add, advance, take } = counting(kind, task);
    add('b', 90);
    add('a', 40);
    task.limit = 60;
    // It is the first that brings the time up to the limit.
    add('a', 20);
    const closed = kind === 'session' ? 'a [40,40]: 1' : 'a [35,40]: 1';
    const late = kind === 'session' ? 'late for [20,20]' : 'late for [15,20]';
    expect(take()).toEqual([late, closed]);
    advance();
    expect(take()).toEqual([]);
  });
});
