import fc, { type Arbitrary } from 'fast-check';
import { isObservable, type Observable } from 'rxjs';
import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import { checkNames, type OptionNames } from '../../options/option-checks.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Pipeline } from '../../plan/topology.ts';
import type { StreamRecord } from '../../record.ts';
import { to } from '../../sinks/to.ts';
import type { Topic } from '../../streams/topic.ts';
import { CheckFailed } from '../assertion-error.ts';
import type { Operation } from '../operations.ts';
import type { TestRecord } from '../test-driver.ts';
import { inOrder, outOfOrder, rowTexts, same, sorted, textsOf } from './compare-rows.ts';
import { between, woven } from './operation-sequences.ts';
import { rowsOf, type Subject, stamped, textOf, type Way } from './ways.ts';

/** A row as a model gives it: what it leaves out is not compared. @public */
export interface ModelRow<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly timestamp?: number;
}

/** Which laws a pipeline is held to, and on what input. @public */
export interface LawsOptions<K, V, RK, RV> {
  readonly input: Target<K, V>;
  readonly output: Target<RK, RV>;
  /** Inputs, as `records` makes them. */
  readonly records: Arbitrary<readonly TestRecord<K, V>[]>;
  /** The rows do not depend on how the input is cut into batches (`true`). */
  readonly batching?: boolean;
  /** Nor on crashes, stops, rebalances, and writes and commits that fail, at any place (`true`). */
  readonly restart?: boolean;
  /** Nor on the number of partitions (`false`). Late records break it: each partition has a stream time of its own. */
  readonly partitions?: boolean;
  /** Rows of a key are in the order of the records that they come from (`false`). Rows carry the headers of their record. */
  readonly order?: boolean;
  /** The rows do not depend on the order in which records come, as far as none is more than this behind: the grace. */
  readonly reorder?: Duration;
  /** Nothing is lost or invented: over all records and over all rows, these add up to the same. */
  readonly conserves?: {
    readonly ofRecord: (record: TestRecord<K, V>) => number;
    readonly ofRow: (row: StreamRecord<RK, RV | null>) => number;
  };
  /** What the rows should be, as a plain function over all records in their order; of each key in this order. */
  readonly model?: (records: readonly TestRecord<K, V>[]) => readonly ModelRow<RK, RV>[];
  /** Inputs that each law is tried on (100). */
  readonly runs?: number;
  /** Begins the random numbers, to repeat a failure. */
  readonly seed?: number;
  readonly onRecordError?: RecordPolicy;
}

const OPTIONS: OptionNames<LawsOptions<unknown, unknown, unknown, unknown>> = {
  input: true,
  output: true,
  records: true,
  batching: true,
  restart: true,
  partitions: true,
  order: true,
  reorder: true,
  conserves: true,
  model: true,
  runs: true,
  seed: true,
  onRecordError: true,
};

/**
 * Holds a pipeline, or an operator, to laws: each is tried on many inputs, and the first that does not hold is reported with
 * the smallest input that shows it, as code to paste.
 *
 * At the end of an input open windows are closed, so that what they hold is compared too.
 *
 * @param subject - A pipeline from `input` to `output`, or an operator that is put between them.
 * @throws CheckFailed, an ordinary assertion error, when a law does not hold.
 *
 * @example
 * ```ts
 * import { int32, mapValues, string, topic } from 'millrace';
 * import { expectLaws, records } from 'millrace/testing/fast-check';
 * import fc from 'fast-check';
 *
 * const numbers = topic('numbers', { key: string(), value: int32() });
 * const doubled = topic('doubled', { key: string(), value: int32() });
 * expectLaws((source) => source.pipe(mapValues((n) => n * 2)), {
 *   input: numbers,
 *   output: doubled,
 *   records: records({ keys: ['a', 'b'], values: fc.nat(100) }),
 *   partitions: true,
 *   order: true,
 *   model: (all) => all.map(({ key, value }) => ({ key: key ?? null, value: (value ?? 0) * 2 })),
 * });
 * console.log('holds'); // => holds
 * ```
 * @public
 */
export function expectLaws<K, V, RK, RV>(
  subject: Pipeline | ((source: Topic<K, V>) => Observable<StreamRecord<RK, RV | null>>),
  options: LawsOptions<K, V, RK, RV>,
): void {
  checkNames('expectLaws', options, OPTIONS);
  const { input, onRecordError, output } = options;
  const pipeline = typeof subject === 'function' ? asPipeline(subject, options) : subject;
  const under: Subject<K, V, RK, RV> = { pipeline, input, output, ...(onRecordError && { onRecordError }) };
  const laws = lawsOf(under, options);
  if (laws.length === 0) {
    throw new ConfigError('ERR_OPTION', 'expectLaws was given no law', {
      hint: 'such as { restart: true } or { model: … }',
    });
  }
  for (const law of laws) hold(law, options);
}

function asPipeline<K, V, RK, RV>(
  operator: (source: Topic<K, V>) => Observable<StreamRecord<RK, RV | null>>,
  { input, output }: LawsOptions<K, V, RK, RV>,
): Pipeline {
  if (!isObservable(input)) {
    throw new ConfigError('ERR_OPTION', 'expectLaws was given an operator, and an input that is not a topic', {
      hint: "give what topic('numbers', { … }) returns as input, or a whole pipeline",
    });
  }
  return operator(input as unknown as Topic<K, V>).pipe(to(output as Target<RK, RV | null>) as never);
}

/** A law: draws inputs, and says what is wrong on one. */
interface Law {
  readonly name: string;
  readonly property: fc.IProperty<[unknown, unknown]>;
}

function lawsOf<K, V, RK, RV>(subject: Subject<K, V, RK, RV>, options: LawsOptions<K, V, RK, RV>): Law[] {
  const { batching = true, conserves, model, order = false, partitions = false, reorder, restart = true } = options;
  type Input = readonly TestRecord<K, V>[];
  const laws: Law[] = [];
  const law = <W>(name: string, ways: Arbitrary<W>, check: (records: Input, way: W) => void): void => {
    laws.push({ name, property: fc.property(options.records, ways, check) });
  };
  const oneByOne = (records: Input, more: Partial<Way<K, V>> = {}): Way<K, V> => {
    return { partitions: 1, autoCommit: true, operations: records.map((record) => ({ do: 'pipe', record })), ...more };
  };
  /** Two ways lead to the same rows. */
  const agree = (one: Way<K, V>, other: Way<K, V>, as: typeof inOrder, why: string): void => {
    same(as(rowTexts(subject, one)), as(rowTexts(subject, other)), why, textOf(subject, other));
  };
  if (batching) {
    law('batching', fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }), (records, sizes) => {
      const operations: Operation<K, V>[] = [];
      for (let at = 0, cut = 0; at < records.length; cut += 1) {
        const size = sizes[cut % sizes.length] as number;
        operations.push({ do: 'pipeAll', records: records.slice(at, at + size) });
        at += size;
      }
      agree(
        oneByOne(records),
        oneByOne(records, { operations }),
        inOrder,
        'in batches the rows are not those of one by one',
      );
    });
  }
  if (restart) {
    const others = fc.array(fc.tuple(fc.nat({ max: 30 }), between<K, V>({ commits: true })), {
      minLength: 1,
      maxLength: 6,
    });
    law('restart', fc.tuple(others, fc.boolean()), (records, [placed, autoCommit]) => {
      const broken = oneByOne(records, { autoCommit, operations: woven(records, placed) });
      agree(oneByOne(records), broken, inOrder, 'after an interruption the rows are not those of a straight run');
    });
  }
  if (partitions) {
    law('partitions', fc.integer({ min: 2, max: 4 }), (records, count) => {
      const wide = oneByOne(records, { partitions: count });
      agree(oneByOne(records), wide, sorted, `on ${count} partitions the rows are not those on one`);
    });
  }
  if (reorder !== undefined) {
    const max = durationMs(reorder, 'reorder');
    law('reorder', fc.array(fc.nat({ max }), { minLength: 1, maxLength: 24 }), (records, jitter) => {
      const timed = records.map((record) => ({ ...record, timestamp: record.timestamp ?? 0 }));
      const straight = timed.toSorted((left, right) => left.timestamp - right.timestamp);
      const moved = straight
        .map((record, at) => ({ record, at: record.timestamp + (jitter[at % jitter.length] as number) }))
        .toSorted((left, right) => left.at - right.at)
        .map(({ record }) => record);
      agree(oneByOne(straight), oneByOne(moved), sorted, 'in another order of arrival the rows are not those in order');
    });
  }
  const plain = fc.constant(undefined);
  if (order) {
    law('order', plain, (records) => {
      const way = oneByOne(stamped(records));
      same([], outOfOrder(subject, way), 'rows of a key are not in the order of their records', textOf(subject, way));
    });
  }
  if (conserves !== undefined) {
    law('conserves', plain, (records) => {
      const way = oneByOne(records);
      const add = (sum: number, next: number): number => sum + next;
      const given = records.map(conserves.ofRecord).reduce(add, 0);
      const got = rowsOf(subject, way).map(conserves.ofRow).reduce(add, 0);
      same(given, got, `the records add up to ${given}, and the rows to ${got}`, textOf(subject, way));
    });
  }
  if (model !== undefined) {
    law('model', plain, (records) => {
      const way = oneByOne(records);
      const wanted = model(records);
      const timed = wanted.some(({ timestamp }) => timestamp !== undefined);
      same(
        inOrder(textsOf(wanted, timed)),
        inOrder(rowTexts(subject, way, timed)),
        'the rows are not those of the model',
        textOf(subject, way),
      );
    });
  }
  return laws;
}

/** @throws CheckFailed with the smallest input on which a law does not hold */
function hold(
  { name, property }: Law,
  { runs = 100, seed }: Pick<LawsOptions<unknown, unknown, unknown, unknown>, 'runs' | 'seed'>,
): void {
  const details = fc.check(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) });
  if (!details.failed) return;
  const { errorInstance: error } = details;
  if (!(error instanceof CheckFailed)) throw error ?? new Error(`law "${name}" was not tried: ${details.numRuns} runs`);
  const found = `found with seed ${details.seed}, shrunk ${details.numShrinks} times`;
  throw new CheckFailed(`law "${name}" does not hold: ${error.message}\n\n(${found})`, error);
}
