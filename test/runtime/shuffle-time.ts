import {
  agg,
  filterValues,
  flatMapValues,
  int32,
  keyBy,
  mapAsync,
  mapRecord,
  type Pipeline,
  process,
  type StreamRecord,
  string,
  type Topic,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { filter } from 'rxjs';
import type { Fetcher, FetcherOptions, Transport } from '../../src/log/transport.ts';

const value = int32();
const WINDOW_MS = 60_000;
/** Records of one key are this far apart at the least, so that many windows have none of it. */
const SELDOM = 400;

export interface Shape {
  readonly name: keyof typeof SHAPES;
  /** Partitions of the source, and of the first shuffle. */
  readonly sources: number;
  readonly shuffles: number;
}

/** The topics of a program, and the program. @param prefix - Of the names of topics, where the log is not for it alone. */
export function program({ name, shuffles, sources }: Shape, prefix = '') {
  const [source, first, second, out] = ['source', 'first', 'second', 'out'].map((each) =>
    topic(`${prefix}${each}`, { key: string(), value }),
  ) as [Values, Values, Values, Values];
  const sizes = new Map([
    [source, sources],
    [first, shuffles],
    [second, 2],
    [out, 2],
  ]);
  return { source, shuffles: [first, second], out, sizes, pipeline: SHAPES[name](source, first, second, out) };
}

type Values = Topic<string, number>;
type Make = (source: Values, first: Values, second: Values, out: Values) => Pipeline;

const byKey = keyBy((n: number) => (n % SELDOM === 0 ? 'seldom' : `${n % 7}`));
const byOther = keyBy((n: number) => `${n % 5}`);
const minute = tumbling({ size: '1m', grace: '0s' });
const counting = windowBy<string, number, number, number, never>(minute, agg.count(), { store: 'counts' });

/** Each of them counts per key and minute what {@link expected} says. */
const SHAPES = {
  one: (source, first, _second, out) => source.pipe(byKey, through(first), counting, to(out)),
  two: (source, first, second, out) => source.pipe(byOther, through(first), byKey, through(second), counting, to(out)),
  /** What steps in between do not say of the timestamps has to be seen. */
  plain: (source, first, _second, out) =>
    source.pipe(
      byKey,
      filter(({ key }) => key !== 'none'),
      mapRecord((record) => record),
      through(first),
      counting,
      to(out),
    ),
  'plain between': (source, first, second, out) =>
    source.pipe(
      byOther,
      through(first),
      byKey,
      filter(({ key }) => key !== 'none'),
      through(second),
      counting,
      to(out),
    ),
  asynchronous: (source, first, second, out) =>
    source.pipe(
      byOther,
      mapAsync(async (n) => n, { concurrency: 3 }),
      through(first),
      byKey,
      through(second),
      counting,
      to(out),
    ),
  /** Rows of closed windows come long after the records that they are of. */
  windows: (source, first, second, out) =>
    source.pipe(
      byKey,
      through(first),
      windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'ten-seconds' }),
      flatMapValues((count) => Array.from({ length: count }, () => count)),
      mapRecord((record: StreamRecord<string, number>) => record),
      through(second),
      counting,
      to(out),
    ),
  'windows that are held': (source, first, second, out) =>
    source.pipe(
      byKey,
      through(first),
      windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'ten-seconds' }),
      flatMapValues((count) => Array.from({ length: count }, () => count)),
      through(second),
      counting,
      to(out),
    ),
  timers: (source, first, second, out) =>
    source.pipe(
      byKey,
      through(first),
      process({
        name: 'later',
        timers: { later: 'stream-time' },
        next: ({ timestamp }, { timers }) => timers.later.add(timestamp),
        due: { later: (_due, { emit }) => emit(1) },
      }),
      through(second),
      counting,
      to(out),
    ),
  seldom: (source, first, _second, out) =>
    source.pipe(
      byKey,
      filterValues((n) => n % 11 < 9),
      through(first),
      counting,
      to(out),
    ),
} satisfies Record<string, Make>;

export const shapes = Object.keys(SHAPES) as (keyof typeof SHAPES)[];

/** Records in the order of time in each partition, of which some have many and others few. */
export function backlog(records: number): { key: string; value: number; timestamp: number }[] {
  return Array.from({ length: records }, (_, n) => {
    return { key: n % 50 === 0 ? 'few' : `${(n * 31) % 97}`, value: n, timestamp: n * 1000 };
  });
}

/** What counts per key and window must be, however the work was spread. */
export function expected(records: number, { name }: Shape): Map<string, number> {
  const counts = new Map<string, number>();
  for (let n = 0; n < records; n += 1) {
    if (name === 'seldom' && n % 11 >= 9) continue;
    const key = n % SELDOM === 0 ? 'seldom' : `${n % 7}`;
    const row = `${key} ${Math.floor((n * 1000) / WINDOW_MS) * WINDOW_MS}`;
    counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  return counts;
}

/** Rows as `expected` has them. A window that was counted twice shows in the sum. */
export function rowsOf(records: readonly { key: string; timestamp: number; value: number | null }[]) {
  const rows = new Map<string, number>();
  for (const { key, timestamp, value: count } of records) {
    const row = `${key} ${Math.floor(timestamp / WINDOW_MS) * WINDOW_MS}`;
    rows.set(row, (rows.get(row) ?? 0) + (count ?? 0));
  }
  return rows;
}

/**
 * A log that gives some partitions for a while and others not, as it looks where processes share the work that are not
 * equally quick.
 *
 * @param seed - Which ones.
 */
export function unevenly(transport: Transport, seed: number): Transport {
  return shutting(transport, (name, partition, polls) => {
    const phase = Math.floor(polls / 40);
    return (phase * (1 + (seed % 6)) + partition * 5 + name.length * 4) % 7 < 3;
  });
}

/** A log that gives nothing of partitions while they are shut. */
export function shutting(
  transport: Transport,
  shut: (topic: string, partition: number, polls: number) => boolean,
): Transport {
  let polls = 0;
  const fetcher = (options: FetcherOptions): Fetcher => {
    const inner = transport.fetcher(options);
    return {
      assign: inner.assign.bind(inner),
      unassign: inner.unassign.bind(inner),
      origin: inner.origin.bind(inner),
      waitingFor: inner.waitingFor.bind(inner),
      close: inner.close.bind(inner),
      endOffset: inner.endOffset.bind(inner),
      writtenEnd: inner.writtenEnd.bind(inner),
      poll: (name, partition) => {
        polls += 1;
        if (!shut(name, partition, polls)) return inner.poll(name, partition);
        setImmediate(options.onReady);
        return undefined;
      },
    };
  };
  return new Proxy(transport, {
    get(target, property) {
      if (property === 'fetcher') return fetcher;
      const found: unknown = Reflect.get(target, property, target);
      return typeof found === 'function' ? (found as () => unknown).bind(target) : found;
    },
  });
}
