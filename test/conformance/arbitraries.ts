import fc from 'fast-check';
import type { Input, Json, Key, Params } from '../../scripts/conformance/format.ts';
import type { RunOptions } from '../../scripts/conformance/run-case.ts';

/** Keys whose UTF-16 and UTF-8 orders differ, a prefix of another key, the empty key, and no key. */
const key: fc.Arbitrary<Key> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c') },
  { weight: 2, arbitrary: fc.constantFrom('', 'ab', '\uffee', '😀') },
  { weight: 1, arbitrary: fc.constant(null) },
);

const mayBeNull = (value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 7, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });

export const numbers: fc.Arbitrary<Json> = mayBeNull(fc.integer({ min: -20, max: 20 }));
/** `X` deletes where the aggregate function knows how. */
export const texts: fc.Arbitrary<Json> = mayBeNull(fc.constantFrom('x', 'y', 'z', 'X', ''));
export const userEvents: fc.Arbitrary<Json> = mayBeNull(fc.constantFrom('a:1', 'b:2', 'c:', ':3', 'ab:4', '😀:5'));

/** Timestamps that move on by small and large steps and fall back, from 0 or from a time of today. */
const times = (length: number): fc.Arbitrary<readonly number[]> => {
  const jump = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -12, max: 8 }) },
    { weight: 1, arbitrary: fc.integer({ min: -80, max: 200 }) },
  );
  return fc
    .tuple(fc.constantFrom(0, 0, 1_700_000_000_000), fc.array(jump, { minLength: length, maxLength: length }))
    .map(([base, jumps]) => {
      let now = 0;
      return jumps.map((jump) => base + (now = Math.max(0, now + jump)));
    });
};

/** Records of some topics, each with values of its own. */
export function inputsOf(topics: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<readonly Input[]> {
  const record = fc
    .constantFrom(...Object.keys(topics))
    .chain((topic) => fc.record({ topic: fc.constant(topic), key, value: topics[topic] as fc.Arbitrary<Json> }));
  return fc
    .array(record, { maxLength: 40 })
    .chain((records) =>
      times(records.length).map((stamps) =>
        records.map((made, at): Input => ({ ...made, timestamp: stamps[at] as number })),
      ),
    );
}

const grace = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 }));

export const windowParams: fc.Arbitrary<Params> = fc
  .record({
    window: fc.constantFrom('tumbling', 'hopping'),
    size: fc.integer({ min: 1, max: 20 }),
    advance: fc.integer({ min: 1, max: 20 }),
    grace,
    aggregate: fc.constantFrom('count', 'sum', 'concat', 'concatDelete', 'reduce'),
    emit: fc.constantFrom('update', 'close'),
  })
  .map((params) => ({ ...params, advance: Math.min(params.advance, params.size) }));

/** Several streams in one state, without windows or in windows of each kind. */
export const cogroupParams: fc.Arbitrary<Params> = fc
  .record({
    window: fc.constantFrom(undefined, 'tumbling', 'hopping', 'sliding', 'session'),
    length: fc.integer({ min: 1, max: 15 }),
    advance: fc.integer({ min: 1, max: 15 }),
    grace,
  })
  .map(({ advance, grace: late, length, window }): Params => {
    if (window === undefined) return {};
    if (window === 'session') return { window, gap: length, grace: late };
    if (window === 'sliding') return { window, timeDifference: length, grace: late };
    return { window, size: length, advance: Math.min(advance, length), grace: late };
  });

/** The row is that of the record's key, or of one that its value tells. */
export const globalJoinParams: fc.Arbitrary<Params> = fc.record({
  type: fc.constantFrom('inner', 'left'),
  mapper: fc.constantFrom('key', 'value'),
});

export const chainParams: fc.Arbitrary<Params> = fc.record({
  type: fc.constantFrom('inner', 'left'),
  size: fc.integer({ min: 1, max: 20 }),
  grace,
});

/** A table with history, and records that wait for their rows or do not. */
export const asOfParams: fc.Arbitrary<Params> = fc
  .record({
    type: fc.constantFrom('inner', 'left'),
    historyRetention: fc.integer({ min: 1, max: 40 }),
    grace: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  })
  .map(({ grace: waits, historyRetention, type }) => ({
    type,
    historyRetention,
    ...(waits === undefined ? {} : { grace: Math.min(waits, historyRetention) }),
  }));

/** Rows of a table, a count or windows, held back for a time or until close. */
export const suppressParams: fc.Arbitrary<Params> = fc
  .record({
    until: fc.constantFrom('close', 'timeLimit'),
    limit: fc.nat({ max: 20 }),
    upstream: fc.constantFrom('table', 'count', 'windowed'),
    window: fc.constantFrom('tumbling', 'hopping', 'session'),
    size: fc.integer({ min: 6, max: 20 }),
    advance: fc.integer({ min: 3, max: 6 }),
    gap: fc.integer({ min: 1, max: 10 }),
    grace,
    maxRecords: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  })
  .map(({ maxRecords, upstream, ...params }) => ({
    ...params,
    aggregate: 'count',
    ...(params.until === 'close'
      ? { upstream: 'windowed' }
      : { upstream, ...(maxRecords === undefined ? {} : { maxRecords, full: 'emitEarly' }) }),
  }));

/** Bounds to both sides, with a distance, and with nothing but one instant between them. */
export const streamJoinParams: fc.Arbitrary<Params> = fc
  .record({
    type: fc.constantFrom('inner', 'left', 'outer'),
    before: fc.integer({ min: -10, max: 15 }),
    after: fc.integer({ min: -10, max: 15 }),
    grace,
  })
  .map((params) => ({ ...params, after: Math.max(params.after, -params.before) }));

const op = fc.constantFrom(
  'filter.even',
  'filter.big',
  'filterNot.even',
  'filterNot.big',
  'mapValues.double',
  'mapValues.increment',
  'map.increment',
  'selectKey',
  'flatMapValues',
  'flatMap',
);

export const statelessParams: fc.Arbitrary<Params> = fc
  .tuple(fc.array(op, { maxLength: 4 }), fc.boolean(), fc.array(op, { maxLength: 3 }), fc.boolean())
  .map(([above, merges, below, branches]) => [
    ...above,
    ...(merges ? ['merge'] : []),
    ...below,
    ...(branches ? ['branch'] : []),
  ])
  .filter((ops) => ops.length > 0)
  .map((ops) => ({ ops: ops.join(',') }));

const tableOp = fc.constantFrom(
  'filter.even',
  'filter.big',
  'filterNot.even',
  'filterNot.big',
  'mapValues.double',
  'mapValues.increment',
);

/** A table and up to three views, computed or stored. */
export const tableParams: fc.Arbitrary<Params> = fc.record({
  source: fc.constantFrom('table', 'toTable'),
  ops: fc.array(tableOp, { maxLength: 3 }).map((ops) => (ops.length === 0 ? 'none' : ops.join(','))),
  materialized: fc.boolean(),
  type: fc.constantFrom('inner', 'left'),
});

/** The same, of a table with history. */
export const versionedParams: fc.Arbitrary<Params> = fc
  .record({ params: tableParams, historyRetention: fc.integer({ min: 1, max: 40 }) })
  .map(({ historyRetention, params }) => ({ ...params, historyRetention }));

/** Joins of two tables, some of which have a history. */
export const tableJoinParams: fc.Arbitrary<Params> = fc
  .record({
    type: fc.constantFrom('inner', 'left', 'outer'),
    versioned: fc.constantFrom('none', 'none', 'left', 'right', 'both'),
    historyRetention: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ type, ...history }) => (history.versioned === 'none' ? { type } : { type, ...history }));

/** Rows with a group, with or without a history. */
export const tableAggregateParams: fc.Arbitrary<Params> = fc
  .record({
    aggregate: fc.constantFrom('count', 'sum', 'concat', 'reduce'),
    historyRetention: fc.option(fc.integer({ min: 1, max: 40 }), { freq: 2 }),
  })
  .map(({ aggregate, historyRetention }) =>
    historyRetention === null ? { aggregate } : { aggregate, historyRetention },
  );

/** Rows with the key of another table, few of which there are. */
export const references: fc.Arbitrary<Json> = mayBeNull(fc.constantFrom('a:1', 'b:2', 'a:3', ':4', 'ab:5', 'c:6'));

/** How a run is disturbed: how much is forgotten at commits, how many records a commit covers, where it restarts. */
export interface Disturbance {
  readonly cacheEntries: number;
  readonly batch: number;
  /** By group of records: whether to restart after it. Repeats when the run is longer. */
  readonly restarts: readonly boolean[];
  /** Whether stores lie in a file instead of in memory. */
  readonly onDisk: boolean;
}

export const disturbances: fc.Arbitrary<Disturbance> = fc.record({
  cacheEntries: fc.constantFrom(0, 1, 3, 1000),
  batch: fc.constantFrom(1, 1, 2, 5, 40),
  restarts: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
  onDisk: fc.nat(7).map((n) => n === 7),
});

let runs = 0;

export function optionsOf(
  { batch, cacheEntries, onDisk, restarts }: Disturbance,
  disk: NonNullable<RunOptions['stores']>,
): RunOptions {
  const restartAfter = (group: number): boolean => restarts[group % restarts.length] === true;
  // Runs share the file, so each is an application of its own.
  return {
    batch,
    cacheEntries,
    restartAfter,
    ...(onDisk ? { stores: disk, applicationId: `run-${(runs += 1)}` } : {}),
  };
}
