import fc from 'fast-check';
import {
  agg,
  aggregate,
  countByKey,
  json,
  keyBy,
  MillraceError,
  mapAsync,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/dataflow/clock.ts';
import { type Call, FaultyLog, gate, hastyClock, shuffle, source } from './support.ts';

const counts = topic('counts', { key: string(), value: json<number>() });
const windows = topic('windows', { key: string(), value: json<{ start: number; n: number }>() });

/** Two stages, a shuffle, state without and with windows, and asynchronous work. */
const pipeline = (() => {
  const shuffled = source.pipe(
    keyBy((n) => `k${n % 3}`),
    through(shuffle),
  );
  return [
    shuffled.pipe(
      aggregate(
        agg.sum((n: number) => n),
        { store: 'sums' },
      ),
      mapAsync(async (sum) => sum),
      to(counts),
    ),
    shuffled.pipe(
      windowBy(tumbling({ size: '10ms', grace: '1h' }), agg.count(), { store: 'windows', emit: 'updates' }),
      mapAsync((n, { record }) => ({ start: record.window.start, n }), { concurrency: 2 }),
      to(windows),
    ),
  ];
})();

/** What the shuffle had is looked at in the end: nothing is removed from it, however long a run takes. */
const keepingClock: Clock = {
  ...hastyClock,
  after: (ms, callback) => (ms >= 30_000 ? () => undefined : hastyClock.after(ms, callback)),
};

interface Plan {
  /** After how many calls each fault comes, and what it is. */
  readonly faults: readonly { readonly after: number; readonly kind: 'retriable' | 'fatal' | 'crash' }[];
  readonly values: readonly number[];
  readonly partitions: number;
  /** How many records are published between turns. */
  readonly burst: number;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  faults: fc.array(
    fc.record({
      after: fc.nat({ max: 25 }),
      kind: fc.constantFrom('retriable' as const, 'fatal' as const, 'crash' as const),
    }),
    { maxLength: 6 },
  ),
  values: fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 25 }),
  partitions: fc.constantFrom(1, 2, 3),
  burst: fc.integer({ min: 1, max: 8 }),
});

/** Calls that an application awaits, and where it may be interrupted therefore. */
const FAULTY: ReadonlySet<Call> = new Set(['offsets', 'committed', 'group', 'send', 'commit', 'commit done', 'poll']);

async function runWithFaults({ burst, faults, partitions, values }: Plan): Promise<FaultyLog> {
  const log = new FaultyLog().create('source', partitions);
  const queue = [...faults];
  let calls = 0;
  let interrupted: (() => void) | undefined;
  let crashed = Promise.resolve();
  log.fault = (call) => {
    if (!FAULTY.has(call)) return undefined;
    calls += 1;
    const next = queue[0];
    if (next === undefined || calls <= next.after) return undefined;
    queue.shift();
    calls = 0;
    if (next.kind === 'retriable' || next.kind === 'fatal') {
      throw new MillraceError(next.kind, 'ERR_TEST', `${next.kind} fault at ${call}`);
    }
    interrupted?.();
    // What the application waits for never comes: when the process is gone its zombie hears of a closed log.
    if (call === 'poll') return undefined;
    return crashed.then(() => {
      throw new MillraceError('fatal', 'ERR_TEST', 'the process is gone');
    });
  };
  const remaining = [...values];
  const feed = (): void => {
    log.publish(
      source,
      remaining.splice(0, burst).map((value, n) => ({ key: `s${n}`, value, timestamp: value })),
    );
  };
  for (let start = 0; start < 50; start += 1) {
    const lost = new Promise<'lost'>((resolve) => {
      interrupted = () => resolve('lost');
    });
    const process = gate();
    crashed = process.wait;
    const app = log.run(pipeline, {
      until: 'end',
      commitInterval: start % 2 === 0 ? '0ms' : '50ms',
      cacheEntries: start % 3,
      clock: keepingClock,
    });
    feed();
    const ended = app.done.then(
      () => 'done' as const,
      () => 'failed' as const,
    );
    const outcome = await Promise.race([ended, lost]);
    if (outcome === 'lost') {
      // A process that is gone holds nothing: the log is opened anew, as by the next process.
      await log.crash();
      process.open();
      app.stop({ deadline: '0ms' }).catch(() => undefined);
      await ended;
    }
    if (outcome === 'done' && remaining.length === 0) return log;
  }
  throw new Error('the run does not come to an end');
}

describe('exactly once', () => {
  it('holds on outputs, state and offsets, whatever fails between', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const log = await runWithFaults(given);
        const shuffled = log.read(shuffle);
        expect(shuffled.map(({ value }) => value as number).sort((a, b) => a - b)).toEqual(
          [...given.values].sort((a, b) => a - b),
        );
        // Each key's sums are exactly the running sums of what the shuffle holds, in its order.
        const expected = new Map<string, number[]>();
        const perWindow = new Map<string, number[]>();
        for (const { key, value } of shuffled) {
          const sums = expected.get(key) ?? [];
          sums.push((sums.at(-1) ?? 0) + (value as number));
          expected.set(key, sums);
          const start = Math.floor((value as number) / 10) * 10;
          const place = `${key}/${start}`;
          perWindow.set(place, [...(perWindow.get(place) ?? []), (perWindow.get(place)?.length ?? 0) + 1]);
        }
        const sums = new Map<string, number[]>();
        for (const { key, value } of log.read(counts)) sums.set(key, [...(sums.get(key) ?? []), value as number]);
        expect(sums).toEqual(expected);
        const updates = new Map<string, number[]>();
        for (const { key, value } of log.read(windows)) {
          const { n, start } = value as { start: number; n: number };
          updates.set(`${key}/${start}`, [...(updates.get(`${key}/${start}`) ?? []), n]);
        }
        expect(updates).toEqual(perWindow);
      }),
      { numRuns: 200 },
    );
  });

  it('holds when a commit succeeds and its answer is lost', async () => {
    for (const kind of ['retriable', 'fatal'] as const) {
      const log = new FaultyLog().create('source');
      log.publish(
        source,
        [1, 2, 3].map((value) => ({ key: 's', value })),
      );
      let lost = false;
      log.fault = (call) => {
        if (call !== 'commit done' || lost) return;
        lost = true;
        throw new MillraceError(kind, 'ERR_TEST', 'no answer', { written: 'unknown' });
      };
      const total = source.pipe(countByKey({ store: 's' }), to(counts));
      await log.run(total, { until: 'end' }).done.catch(() => undefined);
      await log.run(total, { until: 'end' }).done;
      expect(log.values(counts)).toEqual([1, 2, 3]);
    }
  });
});
