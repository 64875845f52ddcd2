import {
  agg,
  aggregate,
  batch,
  calendar,
  cogroup,
  countByKey,
  countWindows,
  cumulate,
  debounceByKey,
  dedupe,
  hopping,
  int32,
  joinRows,
  joinStream,
  joinTable,
  joinWindow,
  keyValue,
  output,
  process,
  regroup,
  session,
  sliding,
  suppress,
  table,
  throttleByKey,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';

/** A record of a case: key and value are numbers. */
export interface CaseRecord {
  readonly topic: string;
  readonly key: number;
  readonly value: number;
  readonly timestamp: number;
}

/** An operator, and what comes in. */
export interface OperatorCase {
  readonly pipeline: () => Observable<unknown>;
  /** Record number `at` of all topics together, in the order of time unless the case is about that. */
  readonly record: (at: number, random: number) => CaseRecord;
  /** Windows are so long that none may close. */
  readonly long?: true;
  /** It has shuffles of its own, so it takes more than one task. */
  readonly stages?: true;
}

const START = 1_700_000_000_000;
const KEYS = 10_000;
const numbers = { key: int32(), value: int32() };
const [source, other] = [topic('source', numbers), topic('other', numbers)];
const rows = () => table('other', numbers);
const sum = agg.sum((n: number) => n);

/** A record each 6 ms of event time: each key once a minute. */
const inOrder = (at: number, random: number): CaseRecord => ({
  topic: 'source',
  key: Math.floor(random * KEYS),
  value: at & 0xffff,
  timestamp: START + at * 6,
});
/** The same on two topics, by turns. */
const onTwo = (at: number, random: number): CaseRecord => ({
  ...inOrder(at, random),
  topic: at % 2 === 0 ? 'source' : 'other',
});

const windowed = (windower: Parameters<typeof windowBy>[0]): OperatorCase => ({
  pipeline: () => source.pipe(windowBy(windower, agg.count(), { store: 'windows' })),
  record: inOrder,
});

/** Both sides of a join, with so many rows open on average: a record each ms, kept for so many ms. */
const joined = (open: number, type: 'inner' | 'left'): OperatorCase => {
  const options = { store: 'join', within: `${open / 2}ms`, grace: '0s' } as const;
  return {
    pipeline: () =>
      type === 'inner'
        ? source.pipe(joinStream(other, (l, r) => l + r, options))
        : source.pipe(joinStream(other, (l, r) => l + (r ?? 0), { ...options, type })),
    record: (at, random) => ({
      topic: at % 2 === 0 ? 'source' : 'other',
      key: Math.floor(random * open),
      value: at & 0xffff,
      timestamp: START + at,
    }),
  };
};

/** Sessions of a key whose records come in pieces, each piece backwards, so that each record moves the start of a session. */
const SESSION_PIECE = 64;
const merging: OperatorCase = {
  pipeline: () => source.pipe(windowBy(session({ gap: '10s', grace: '10m' }), agg.count(), { store: 'sessions' })),
  record(at) {
    const piece = Math.floor(at / SESSION_PIECE);
    const within = at % SESSION_PIECE;
    // The even ones first, each a session of its own, then the odd ones, each of which joins two.
    const half = SESSION_PIECE / 2;
    const slot = SESSION_PIECE - 1 - (within < half ? within * 2 : (within - half) * 2 + 1);
    return { topic: 'source', key: piece % 100, value: 1, timestamp: START + piece * 8_000 + slot * 9_000 };
  },
};

export const OPERATOR_CASES: Readonly<Record<string, OperatorCase>> = {
  countByKey: { pipeline: () => source.pipe(countByKey({ store: 'counts' })), record: inOrder },
  'aggregate, with ttl': {
    pipeline: () => source.pipe(aggregate(sum, { store: 'sums', ttl: '5m' })),
    record: inOrder,
  },
  'windowBy tumbling': windowed(tumbling({ size: '1m', grace: '0s' })),
  // Of fewer keys, each once in six seconds: sixty windows of each are open.
  'windowBy hopping, 60 overlaps': {
    ...windowed(hopping({ size: '1m', advance: '1s', grace: '0s' })),
    record: (at, random) => ({ ...inOrder(at, random), key: Math.floor((random * KEYS) / 10) }),
  },
  'windowBy sliding': windowed(sliding({ difference: '1m', grace: '0s' })),
  'windowBy session': windowed(session({ gap: '20s', grace: '0s' })),
  'windowBy session, merged again and again': merging,
  'windowBy calendar': { ...windowed(calendar({ unit: 'hour', zone: 'Europe/Berlin', grace: '0s' })), long: true },
  'windowBy cumulate': { ...windowed(cumulate({ size: '10m', step: '1m', grace: '0s' })), long: true },
  'windowBy countWindows': {
    pipeline: () => source.pipe(windowBy(countWindows({ size: 10 }), agg.count(), { store: 'windows' })),
    record: inOrder,
  },
  cogroup: {
    pipeline: () =>
      cogroup([source, other], {
        store: 'both',
        init: () => 0,
        add: [(state: number, n: number) => state + n, (state: number, n: number) => state - n],
      }),
    record: onTwo,
  },
  dedupe: { pipeline: () => source.pipe(dedupe({ within: '30s', grace: '0s', store: 'seen' })), record: inOrder },
  throttleByKey: {
    pipeline: () => source.pipe(throttleByKey('30s', { grace: '0s', store: 'throttle' })),
    record: inOrder,
  },
  debounceByKey: {
    pipeline: () => source.pipe(debounceByKey('30s', { grace: '0s', store: 'debounce' })),
    record: inOrder,
  },
  batch: { pipeline: () => source.pipe(batch({ count: 10, within: '5m', store: 'batches' })), record: inOrder },
  'process, with a timer': {
    pipeline: () =>
      source.pipe(
        process({
          name: 'watch',
          stores: { last: keyValue('last', { value: int32() }) },
          timers: { quiet: 'stream-time' },
          emits: output<number>(),
          next({ timestamp, value }, { emit, key, stores, timers }) {
            emit(value);
            stores.last.set(key, value);
            timers.quiet.set(timestamp + 30_000);
          },
          due: { quiet: ({ key }, { stores }) => stores.last.delete(key) },
        }),
      ),
    record: inOrder,
  },
  'joinStream, 10,000 open rows': joined(10_000, 'inner'),
  'joinStream, 100,000 open rows': joined(100_000, 'inner'),
  'joinStream left, 100,000 open rows': joined(100_000, 'left'),
  joinWindow: {
    pipeline: () =>
      source.pipe(joinWindow(other, tumbling({ size: '1m', grace: '0s' }), (l, r) => [l, r], { store: 'join' })),
    record: onTwo,
  },
  joinTable: { pipeline: () => source.pipe(joinTable(rows(), (l, r) => l + r)), record: onTwo },
  'joinTable with history': {
    pipeline: () => source.pipe(joinTable(table('other', { ...numbers, history: '10m' }), (l, r) => l + r)),
    record: onTwo,
  },
  'joinTable with history and grace': {
    pipeline: () =>
      source.pipe(
        joinTable(table('other', { ...numbers, history: '10m' }), (l, r) => l + r, { grace: '1m', store: 'waiting' }),
      ),
    record: onTwo,
  },
  joinRows: {
    pipeline: () =>
      table('source', numbers).pipe(
        joinRows(rows(), (l, r) => l + r, { store: 'join' }),
        toStream(),
      ),
    record: onTwo,
  },
  suppress: {
    pipeline: () => source.pipe(countByKey({ store: 'counts' }), suppress({ until: '30s', store: 'held' })),
    record: inOrder,
  },
  'joinRows by a foreign key': {
    pipeline: () =>
      table('source', numbers).pipe(
        joinRows(rows(), (l, r) => l + r, { store: 'join', key: (n) => n % 1_000 }),
        toStream(),
      ),
    record: onTwo,
    stages: true,
  },
  regroup: {
    pipeline: () =>
      table('source', numbers).pipe(
        regroup(
          (n) => n % 1_000,
          topic('groups', numbers),
          agg.sum((n: number) => n),
          { store: 'groups' },
        ),
        toStream(),
      ),
    record: inOrder,
    stages: true,
  },
};
