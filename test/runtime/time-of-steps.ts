import {
  agg,
  aggregate,
  asTable,
  batch,
  branch,
  calendar,
  cogroup,
  countByKey,
  countWindows,
  cumulate,
  customWindows,
  debounceByKey,
  dedupe,
  filterRows,
  filterValues,
  flatMapRecord,
  flatMapValues,
  globalTable,
  hopping,
  inspect,
  joinLookup,
  joinRows,
  joinStream,
  joinTable,
  joinWindow,
  json,
  keyBy,
  mapAsync,
  mapRecord,
  mapRows,
  mapTimestamp,
  mapValues,
  nullable,
  type Pipeline,
  process,
  processAll,
  reduceByKey,
  regroup,
  session,
  sliding,
  string,
  suppress,
  table,
  throttleByKey,
  through,
  to,
  topic,
  toStream,
  tumbling,
  union,
  unlimited,
  type Windower,
  windowBy,
} from 'millrace';

const numbers = { key: string(), value: json<number>() };
export const left = topic('left', numbers);
export const right = topic('right', numbers);
export const out = topic('out', { key: nullable(string()), value: json<unknown>() });

const rowsOfLeft = table('left', numbers);
const rowsOfRight = table('right', numbers);
const store = 'store';
const ten = tumbling({ size: '10s', grace: '5s' });
const counted = (windower: Windower): Pipeline =>
  left.pipe(windowBy(windower as typeof ten, agg.count(), { store }), to(out));
const sum = (a: number | null | undefined, b: number | null | undefined): number => (a ?? 0) + (b ?? 0);

export interface Sample {
  readonly pipeline: Pipeline;
  /** It may give records any timestamp, and says so by saying nothing. */
  readonly hides?: true;
}

/** Every exported step, in each of the forms in which it treats time differently; begins with its name. */
export const SAMPLES: Record<string, Sample> = {
  topic: { pipeline: left.pipe(to(out)) },
  to: { pipeline: left.pipe(to(out)) },
  table: { pipeline: rowsOfLeft.pipe(toStream(), to(out)) },
  'table with ttl': { pipeline: table('left', { ...numbers, ttl: '20s' }).pipe(toStream(), to(out)) },
  'table with history': { pipeline: table('left', { ...numbers, history: '20s' }).pipe(toStream(), to(out)) },
  globalTable: {
    pipeline: left.pipe(
      joinTable(globalTable('right', numbers), sum, { type: 'left', key: (n) => 'abc'[n % 3]! }),
      to(out),
    ),
  },
  aggregate: { pipeline: left.pipe(aggregate(agg.count(), { store }), to(out)) },
  'aggregate with ttl': { pipeline: left.pipe(aggregate(agg.count(), { store, ttl: '20s' }), to(out)) },
  countByKey: { pipeline: left.pipe(countByKey({ store }), to(out)) },
  reduceByKey: {
    pipeline: left.pipe(
      reduceByKey((a, b) => a + b, { store }),
      to(out),
    ),
  },
  asTable: { pipeline: asTable(left, { store }).pipe(toStream(), to(out)) },
  'asTable with ttl': { pipeline: asTable(left, { store, ttl: '20s' }).pipe(toStream(), to(out)) },
  toStream: { pipeline: rowsOfLeft.pipe(toStream(), to(out)) },
  filterRows: {
    pipeline: rowsOfLeft.pipe(
      filterRows((n) => n % 2 === 0),
      toStream(),
      to(out),
    ),
  },
  mapRows: {
    pipeline: rowsOfLeft.pipe(
      mapRows((n) => n * 2),
      toStream(),
      to(out),
    ),
  },
  joinRows: { pipeline: rowsOfLeft.pipe(joinRows(rowsOfRight, sum, { store }), toStream(), to(out)) },
  'joinRows by a foreign key': {
    pipeline: rowsOfLeft.pipe(joinRows(rowsOfRight, sum, { store, key: (n) => 'abc'[n % 3]! }), toStream(), to(out)),
  },
  regroup: {
    pipeline: rowsOfLeft.pipe(
      regroup(
        (n) => `${n % 2}`,
        topic('by-rest', numbers),
        agg.sum((n: number) => n),
        { store },
      ),
      toStream(),
      to(out),
    ),
  },
  batch: { pipeline: left.pipe(batch({ count: 4, within: '8s', store }), to(out)) },
  debounceByKey: { pipeline: left.pipe(debounceByKey('5s', { grace: '2s', store }), to(out)) },
  throttleByKey: { pipeline: left.pipe(throttleByKey('5s', { grace: '2s', store }), to(out)) },
  dedupe: { pipeline: left.pipe(dedupe({ within: '5s', grace: '2s', store }), to(out)) },
  'suppress until close': {
    pipeline: left.pipe(
      windowBy(ten, agg.count(), { store, emit: 'updates' }),
      suppress({ until: 'close', store: 's' }),
      to(out),
    ),
  },
  'suppress for a time': { pipeline: left.pipe(suppress({ until: '5s', store }), to(out)) },
  'windowBy tumbling': { pipeline: counted(ten) },
  'windowBy tumbling on update': {
    pipeline: left.pipe(windowBy(ten, agg.count(), { store, emit: 'updates' }), to(out)),
  },
  'windowBy tumbling at intervals': {
    pipeline: left.pipe(windowBy(ten, agg.count(), { store, emit: { every: '3s' } }), to(out)),
  },
  'windowBy hopping': { pipeline: counted(hopping({ size: '10s', advance: '3s', grace: '1s' })) },
  'windowBy cumulate': { pipeline: counted(cumulate({ size: '12s', step: '4s', grace: '1s' })) },
  'windowBy session': { pipeline: counted(session({ gap: '4s', grace: '1s' })) },
  'windowBy sliding': { pipeline: counted(sliding({ difference: '4s', grace: '1s' })) },
  'windowBy calendar': { pipeline: counted(calendar({ unit: 'day', zone: 'UTC', grace: '0s' })) },
  'windowBy customWindows': {
    pipeline: counted(
      customWindows({
        name: 'sevens',
        windowsOf: (at: number) => [{ start: at - (at % 7000), end: at - (at % 7000) + 7000 }],
        grace: '0s',
      }),
    ),
  },
  'windowBy countWindows': { pipeline: counted(countWindows({ size: 3, advance: 2 })) },
  'windowBy unlimited': {
    pipeline: left.pipe(windowBy(unlimited(), agg.count(), { store, emit: 'updates' }), to(out)),
  },
  cogroup: {
    pipeline: cogroup([left, right], { store, init: () => 0, add: [(n, a) => n + a, (n, a) => n - a] }).pipe(to(out)),
  },
  'cogroup with windows': {
    pipeline: cogroup([left, right], {
      store,
      windows: ten,
      init: () => 0,
      add: [(n, a) => n + a, (n, a) => n - a],
    }).pipe(to(out)),
  },
  'joinStream inner': { pipeline: left.pipe(joinStream(right, sum, { store, within: '2s', grace: '1s' }), to(out)) },
  'joinStream outer': {
    pipeline: left.pipe(joinStream(right, sum, { store, within: '2s', grace: '1s', type: 'outer' }), to(out)),
  },
  'joinWindow inner': { pipeline: left.pipe(joinWindow(right, ten, sum, { store }), to(out)) },
  'joinWindow outer': { pipeline: left.pipe(joinWindow(right, ten, sum, { store, type: 'outer' }), to(out)) },
  joinTable: { pipeline: left.pipe(joinTable(rowsOfRight, sum), to(out)) },
  'joinTable as of': {
    pipeline: left.pipe(
      joinTable(table('right', { ...numbers, history: '20s' }), sum, { grace: '5s', store, value: json<number>() }),
      to(out),
    ),
  },
  joinLookup: {
    pipeline: left.pipe(
      joinLookup(async (n: number) => n, sum, { key: (n) => n }),
      to(out),
    ),
  },
  mapAsync: {
    pipeline: left.pipe(
      mapAsync(async (n) => n),
      to(out),
    ),
  },
  process: { pipeline: left.pipe(process({ name: 'now', next: ({ value }, { emit }) => emit(value) }), to(out)) },
  'process with timers': {
    pipeline: left.pipe(
      process({
        name: 'later',
        timers: { later: 'stream-time' },
        next: ({ timestamp }, { timers }) => timers.later.add(timestamp + 3000),
        due: { later: (_due, { emit }) => emit(1) },
      }),
      to(out),
    ),
  },
  processAll: {
    pipeline: processAll([left, right], {
      name: 'both',
      next: [({ value }, { emit }) => emit(value), ({ value }, { emit }) => emit(value)],
    }).pipe(to(out)),
  },
  branch: { pipeline: branch(left, { even: ({ value }) => value % 2 === 0 }).even.pipe(to(out)) },
  union: { pipeline: union(left, right).pipe(to(out)) },
  filterValues: {
    pipeline: left.pipe(
      filterValues((n) => n % 2 === 0),
      to(out),
    ),
  },
  flatMapValues: {
    pipeline: left.pipe(
      flatMapValues((n) => [n, n]),
      to(out),
    ),
  },
  mapValues: {
    pipeline: left.pipe(
      mapValues((n) => n + 1),
      to(out),
    ),
  },
  keyBy: {
    pipeline: left.pipe(
      keyBy((n) => `${n}`),
      to(out),
    ),
  },
  inspect: { pipeline: left.pipe(inspect({ stream: { write: () => true } }), to(out)) },
  through: { pipeline: left.pipe(through(topic('shuffle', numbers)), to(out)) },
  flatMapRecord: {
    pipeline: left.pipe(
      flatMapRecord((record) => [record]),
      to(out),
    ),
    hides: true,
  },
  mapRecord: {
    pipeline: left.pipe(
      mapRecord((record) => record),
      to(out),
    ),
    hides: true,
  },
  mapTimestamp: {
    pipeline: left.pipe(
      mapTimestamp((n) => n),
      to(out),
    ),
    hides: true,
  },
};

/** Functions of the package that are not steps: what a new export must be put into, if it is none. */
export const NO_STEPS: ReadonlySet<string> = new Set(
  [
    'ConfigError FatalError GlobalTable MemoryLog MillraceError NoTaskError RecordError Records StoreError',
    'bytes float64 int32 int64 json msgpack nullable string uuid windowedKey',
    'connect consoleLogger deadLetter describePipeline memoryTransport prometheusText run runUntilSignal',
    'keyValue output readState watch',
  ].flatMap((line) => line.split(' ')),
);
