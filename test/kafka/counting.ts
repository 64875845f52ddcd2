import { agg, int32, json, keyBy, mapValues, string, through, to, topic, tumbling, windowBy } from 'millrace';
import type { KafkaOptions } from 'millrace/kafka';

/** What a process of the application is told. */
export interface CountingOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly kafka: Omit<KafkaOptions, 'brokers'>;
  /** Now and then user code blocks the process: often for a moment, seldom for longer than a session. */
  readonly slow?: boolean;
}

/** A record of the input: the n-th, and whose it is. */
export interface Click {
  readonly user: string;
  readonly n: number;
}

/** A row of the output: what one user did in one window. */
export interface Count {
  readonly start: number;
  readonly clicks: number;
  /** The sum of the numbers of the records, which tells a record that is there twice from two that are there once. */
  readonly sum: number;
}

export const PARTITIONS = 2;
export const WINDOW_MS = 1000;
/** More than the time by which one partition of the input falls behind the other while nobody reads it. */
export const GRACE_MS = 30_000;
/** Event time between records: 500 a second keep up with the clock. */
const STEP_MS = 2;

/** The n-th record of the input, of one of 32 users. */
export const clickAt = (n: number): Click => ({ user: `user-${Math.imul(n, 0x9e37_79b1) >>> 27}`, n });
export const timeAt = (start: number, n: number): number => start + n * STEP_MS;

/** Blocks the process as synchronous user code does, depending on the record alone. */
function block(n: number): void {
  const ms = n % 12_007 === 12_006 ? 4000 : n % 211 === 210 ? 30 : 0;
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Topics of a run, by its name, and the pipeline: a count per user and second, behind a shuffle. */
export function counting(name: string, slow = false) {
  const clicks = topic(`${name}-clicks`, { value: json<Click>(), partitions: PARTITIONS });
  const byUser = topic(`${name}-by-user`, { key: string(), value: int32(), partitions: PARTITIONS });
  const counts = topic(`${name}-counts`, { key: string(), value: json<Count>(), partitions: PARTITIONS });
  const pipeline = clicks.pipe(
    keyBy(({ user }) => user),
    mapValues(({ n }) => {
      if (slow) block(n);
      return n;
    }),
    through(byUser),
    windowBy(
      tumbling({ size: `${WINDOW_MS}ms`, grace: `${GRACE_MS}ms` }),
      { clicks: agg.count(), sum: agg.sum((n: number) => n) },
      { store: 'per-second' },
    ),
    mapValues(({ clicks: number, sum }, { window }) => ({ start: window.start, clicks: number, sum })),
    to(counts),
  );
  return { clicks, byUser, counts, pipeline };
}

/** The rows that the first records of the input come to, computed directly. */
export function expectedCounts(start: number, records: number): Map<string, Count> {
  const rows = new Map<string, Count>();
  for (let n = 0; n < records; n++) {
    const time = timeAt(start, n);
    const window = time - (time % WINDOW_MS);
    const { user } = clickAt(n);
    const { clicks, sum } = rows.get(`${user}@${window}`) ?? { clicks: 0, sum: 0 };
    rows.set(`${user}@${window}`, { start: window, clicks: clicks + 1, sum: sum + n });
  }
  return rows;
}
