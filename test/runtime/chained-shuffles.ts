import {
  agg,
  aggregate,
  asTable,
  batch,
  cogroup,
  cumulate,
  type Duration,
  debounceByKey,
  dedupe,
  filterValues,
  hopping,
  int32,
  joinRows,
  joinStream,
  joinTable,
  joinWindow,
  keyBy,
  mapValues,
  type Pipeline,
  type StreamRecord,
  session,
  sliding,
  string,
  suppress,
  type Topic,
  table,
  throttleByKey,
  through,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';

const value = int32();
type Values = Topic<string, number>;
type Numbers = Observable<StreamRecord<string, number>>;

const span = tumbling({ size: '10s', grace: '0s' });
const sessions = session({ gap: '5s', grace: '0s' });
const store = 'held';

/**
 * Steps that hold rows back, whose rows are older than what has gone on meanwhile. `final`: they are the same whatever the order
 * of records of one time limit is; of the others only the time of rows is certain.
 */
export const STEPS = {
  sessions: { final: true, of: (n: Numbers) => n.pipe(windowBy(sessions, agg.count(), { store })) },
  sliding: {
    final: true,
    of: (n: Numbers) => n.pipe(windowBy(sliding({ difference: '4s', grace: '0s' }), agg.count(), { store })),
  },
  hopping: {
    final: true,
    of: (n: Numbers) => n.pipe(windowBy(hopping({ size: '9s', advance: '2s', grace: '0s' }), agg.count(), { store })),
  },
  'windows that are suppressed': {
    final: true,
    of: (n: Numbers) =>
      n.pipe(windowBy(span, agg.count(), { store, emit: 'updates' }), suppress({ until: 'close', store: 'late-rows' })),
  },
  'windows of two streams': {
    final: true,
    of: (n: Numbers) =>
      cogroup([n.pipe(filterValues((each) => each % 2 === 1)), n.pipe(filterValues((each) => each % 2 === 0))], {
        store,
        windows: span,
        init: () => 0,
        add: [(sum) => sum + 1, (sum) => sum + 2],
      }),
  },
  'records without a partner': {
    final: true,
    of: (n: Numbers) =>
      n.pipe(
        filterValues((each) => each % 3 === 0),
        joinStream(n.pipe(filterValues((each) => each % 5 === 0)), (left, right) => (left ?? 0) + (right ?? 0), {
          store,
          within: '2s',
          grace: '3s',
          type: 'outer',
        }),
      ),
  },
  'joins of windows': {
    final: true,
    of: (n: Numbers) =>
      n.pipe(
        filterValues((each) => each % 3 === 0),
        joinWindow(n.pipe(filterValues((each) => each % 5 === 0)), span, (left, right) => (left ?? 0) + (right ?? 0), {
          store,
          type: 'outer',
        }),
      ),
  },
  cumulated: {
    final: true,
    of: (n: Numbers) => n.pipe(windowBy(cumulate({ size: '9s', step: '3s', grace: '0s' }), agg.count(), { store })),
  },
  batches: {
    final: false,
    of: (n: Numbers) =>
      n.pipe(
        batch({ count: 4, within: '6s', store }),
        mapValues((values) => values.length),
      ),
  },
  throttled: {
    final: true,
    of: (n: Numbers) => n.pipe(throttleByKey('3s', { grace: '0s', store, take: 'both' })),
  },
  'seen once': { final: true, of: (n: Numbers) => n.pipe(dedupe({ within: '3s', grace: '0s', store })) },
  'rows with a time to live': {
    final: false,
    of: (n: Numbers) =>
      n.pipe(
        aggregate(agg.count(), { store, ttl: '8s' }),
        filterValues((count) => count !== null),
      ),
  },
  bursts: { final: true, of: (n: Numbers) => n.pipe(debounceByKey('3s', { grace: '0s', store })) },
  'sessions on update': {
    final: false,
    of: (n: Numbers) =>
      n.pipe(
        windowBy(sessions, agg.count(), { store, emit: 'updates' }),
        mapValues((count) => count ?? 0),
      ),
  },
  'sessions at intervals': {
    final: false,
    of: (n: Numbers) =>
      n.pipe(
        windowBy(sessions, agg.count(), { store, emit: { every: '4s' } }),
        mapValues((count) => count ?? 0),
      ),
  },
  'rows of their time': {
    final: true,
    of: (n: Numbers) =>
      n.pipe(
        filterValues((each) => each % 3 !== 0),
        joinTable(
          asTable(n.pipe(filterValues((each) => each % 3 === 0)), { store: 'rows', history: '60s' }),
          (each, row) => (row === null ? -each : each * 1000 + row),
          { store, grace: '25s', type: 'left' },
        ),
      ),
  },
  'rows that are suppressed for a time': {
    final: false,
    of: (n: Numbers) => n.pipe(suppress({ until: '5s', store })),
  },
} as const;

export type StepName = keyof typeof STEPS | 'rows by a foreign key';
export const steps = [...Object.keys(STEPS), 'rows by a foreign key'] as StepName[];

export interface Spread {
  readonly sources: number;
  readonly first: number;
  readonly second: number;
}

/**
 * Shuffle, a step that holds rows back, shuffle, windows of what it emits.
 *
 * @param grace - Of those windows.
 */
export function chain(name: StepName, { first, second, sources }: Spread, grace: Duration = '0s') {
  const [source, right, mid, last, out] = ['source', 'right', 'mid', 'last', 'out'].map((each) => {
    return topic(each, { key: string(), value });
  }) as [Values, Values, Values, Values, Values];
  const sizes = new Map([
    [source, sources],
    [right, sources],
    [mid, first],
    [last, second],
    [out, 1],
  ]);
  const rows =
    name === 'rows by a foreign key'
      ? table('source', { key: string(), value }).pipe(
          joinRows(table('right', { key: string(), value }), (left, other) => left + other, {
            store,
            key: (row) => `${row % 7}`,
          }),
          toStream(),
          mapValues((row) => row ?? 0),
        )
      : STEPS[name].of(
          source.pipe(
            keyBy((n) => `${n % 5}`),
            through(mid),
          ),
        );
  const pipeline: Pipeline = (rows as Numbers).pipe(
    keyBy((n) => `${n % 3}`),
    through(last),
    windowBy(tumbling({ size: '7s', grace }), agg.count(), { store: 'counts' }),
    to(out),
  );
  return { source, right, sizes, out, pipeline };
}

/** In the order of time, with a silence now and then. Some partitions have much, others little. */
export function spells(records: number): { key: string; value: number; timestamp: number }[] {
  return Array.from({ length: records }, (_, n) => {
    return {
      key: n % 40 === 0 ? 'few' : `${(n * 31) % 97}`,
      value: n,
      timestamp: n * 700 + Math.floor(n / 50) * 20_000,
    };
  });
}
