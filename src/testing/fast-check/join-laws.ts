import fc, { type Arbitrary } from 'fast-check';
import type { Observable } from 'rxjs';
import type { Target } from '../../dataflow/target.ts';
import { ConfigError } from '../../errors.ts';
import { checkNames, checkWhole, type OptionNames } from '../../options/option-checks.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Pipeline } from '../../plan/topology.ts';
import type { StreamRecord } from '../../record.ts';
import { to } from '../../sinks/to.ts';
import type { SidedRecord } from '../models/join-stream.ts';
import type { Operation } from '../operations.ts';
import type { TestRecord } from '../test-driver.ts';
import { type CommonLaws, commonLaws } from './common-laws.ts';
import type { Feed } from './feed.ts';
import { hold } from './law.ts';
import { checkSeen, noLaws } from './laws.ts';
import { type RecordLaws, recordLaws } from './record-laws.ts';
import { asRead } from './through-serdes.ts';
import { subjectOf } from './ways.ts';

/** One side of a step with two inputs. @typeParam S - A topic or a table. @public */
export interface LawsSide<S, K, V> {
  /** A topic, or a table. */
  readonly input: S;
  /** The inputs, as `records` generates them. */
  readonly records: Arbitrary<readonly TestRecord<K, V>[]>;
}

/** The laws for a step with two inputs. @public */
export interface JoinLawsOptions<K, L, R, RK, RV, LS, RS> extends CommonLaws, RecordLaws<SidedRecord<K, L, R>, RK, RV> {
  readonly left: LawsSide<LS, K, L>;
  readonly right: LawsSide<RS, K, R>;
  readonly output: Target<RK, RV>;
  readonly onRecordError?: RecordPolicy;
}

const OPTIONS: OptionNames<JoinLawsOptions<unknown, unknown, unknown, unknown, unknown, unknown, unknown>> = {
  left: true,
  right: true,
  output: true,
  batching: true,
  restart: true,
  partitions: true,
  advance: true,
  order: true,
  reorder: true,
  conserves: true,
  model: true,
  runs: true,
  seed: true,
  onRecordError: true,
};

/** The part of a topic or table that the laws need. @public */
export interface LawsInput<K, V> {
  readonly name: string;
  readonly key: Target<K, V>['key'];
  readonly value: Target<K, V>['value'];
}

/** A topic or a table of any types. @public */
export interface LawsTopic {
  readonly name: string;
  readonly key: unknown;
  readonly value: unknown;
}

/** The type of the keys of a topic or a table. @public */
export type KeyOf<S> = S extends LawsInput<infer K, infer _> ? K : never;

/** The type of the values of a topic or a table. @public */
export type ValueOf<S> = S extends LawsInput<infer _, infer V> ? V : never;

/**
 * Checks laws for a step with two inputs, such as a join, as {@link expectLaws} does for one input. Records of both
 * sides arrive mostly in timestamp order.
 *
 * @param subject - A pipeline from both inputs to `output`, or a function from the two inputs to the rows.
 * @throws CheckFailed, an ordinary assertion error, if a law does not hold; an Error that names the input if a pipeline, a
 * model or another function of a law throws.
 *
 * @example
 * ```ts
 * import { int32, joinTable, string, table, topic } from 'millrace';
 * import { expectJoinLaws, records } from 'millrace/testing/fast-check';
 * import { joinTableModel } from 'millrace/testing/models';
 * import fc from 'fast-check';
 *
 * const orders = topic('orders', { key: string(), value: int32() });
 * const prices = table('prices', { key: string(), value: int32() });
 * const totals = topic('totals', { key: string(), value: int32() });
 * const some = records({ keys: ['tea', 'cake'], values: fc.nat(9) });
 * expectJoinLaws((left, right) => left.pipe(joinTable(right, (count, price) => count * price)), {
 *   left: { input: orders, records: some },
 *   right: { input: prices, records: some },
 *   output: totals,
 *   partitions: true,
 *   model: (all) => joinTableModel({}, (count, price) => count * (price ?? 0), all).rows,
 *   runs: 20,
 * });
 * console.log('holds'); // => holds
 * ```
 * @public
 */
export function expectJoinLaws<LS extends LawsTopic, RS extends LawsTopic, RK, RV>(
  subject: Pipeline | ((left: LS, right: RS) => Observable<StreamRecord<RK, RV | null>>),
  options: JoinLawsOptions<KeyOf<LS>, ValueOf<LS>, ValueOf<RS>, RK, RV, LS, RS>,
): void {
  type K = KeyOf<LS>;
  type L = ValueOf<LS>;
  type R = ValueOf<RS>;
  checkNames('expectJoinLaws', options, OPTIONS);
  checkWhole('expectJoinLaws', 'runs', options.runs, 1);
  checkSides(options);
  const { left, onRecordError, output, right } = options;
  const anew = (): Pipeline =>
    typeof subject === 'function'
      ? subject(left.input, right.input).pipe(to(output as Target<RK, RV | null>) as never)
      : subject;
  // Models know records of both sides, for a stream joined with itself: there are none of them here.
  const sides = { left: left.input, right: right.input, both: left.input } as unknown as Sides<K, L | R>;
  const under = subjectOf<K, L | R, RK, RV>({
    anew,
    rebuilds: typeof subject === 'function',
    input: sides.left,
    output,
    ...(onRecordError && { onRecordError }),
  });
  const feed: Feed<SidedRecord<K, L, R>, K, L | R> = {
    inputs: fc
      .tuple(left.records, right.records, fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 24 }))
      .map(([lefts, rights, turns]) => together(lefts, rights, turns)),
    pipe: ({ side, ...record }) => ({ do: 'pipe', record, to: sides[side] }),
    pipeAll: (items) => bySide(items, sides),
    asRead: (items) => asRead<K, L | R, SidedRecord<K, L, R>>(({ side }) => sides[side], items),
    again: (items) => asBacklog(items, sides.left.name < sides.right.name ? 'left' : 'right'),
  };
  const laws = [...commonLaws(under, feed, options), ...recordLaws(under, feed, options)];
  if (laws.length === 0) throw noLaws('expectJoinLaws');
  for (const law of laws) hold(law, options);
  if (options.model === undefined && options.conserves === undefined) checkSeen('expectJoinLaws', under);
}

/**
 * @throws ConfigError `ERR_OPTION` for the law `restart` with a global table, which takes no part in commits: records that
 * are processed again meet rows that it did not have the first time.
 */
function checkSides({
  left,
  restart = true,
  right,
}: Pick<
  JoinLawsOptions<unknown, unknown, unknown, unknown, unknown, object, object>,
  'left' | 'right' | 'restart'
>): void {
  const isGlobal = [left, right].some(({ input }) => 'global' in input && input.global === true);
  if (!restart || !isGlobal) return;
  throw new ConfigError(
    'ERR_OPTION',
    'the law restart does not hold for a global table, which takes no part in commits',
    {
      hint: 'give restart: false',
    },
  );
}

type Sides<K, V> = Readonly<Record<SidedRecord<K, V, V>['side'], Target<K, V>>>;

/** Interleaves two inputs: usually the earlier record first, occasionally the other one. */
function together<K, L, R>(
  lefts: readonly TestRecord<K, L>[],
  rights: readonly TestRecord<K, R>[],
  turns: readonly number[],
): SidedRecord<K, L, R>[] {
  const all: SidedRecord<K, L, R>[] = [];
  let [left, right] = [0, 0];
  while (left < lefts.length || right < rights.length) {
    const [one, other] = [lefts[left], rights[right]];
    const inTime = (one?.timestamp ?? 0) <= (other?.timestamp ?? 0);
    const swap = turns[all.length % turns.length] === 9;
    if (one !== undefined && (other === undefined || inTime !== swap)) {
      all.push({ ...one, side: 'left' });
      left += 1;
    } else if (other !== undefined) {
      all.push({ ...other, side: 'right' });
      right += 1;
    }
  }
  return all;
}

/**
 * Orders records of two topics as a task does when it reads them again: by time, keeping the order within each topic. A
 * join may then produce different rows than for the original order of arrival.
 *
 * @param first - The side that comes first if times are equal: topics are ordered by name.
 */
function asBacklog<K, L, R>(
  items: readonly SidedRecord<K, L, R>[],
  first: 'left' | 'right',
): readonly SidedRecord<K, L, R>[] {
  const queues = [items.filter(({ side }) => side === first), items.filter(({ side }) => side !== first)] as const;
  return items.map((): SidedRecord<K, L, R> => {
    const [one, other] = queues;
    const isFirst = other[0] === undefined || (one[0]?.timestamp ?? Infinity) <= (other[0].timestamp ?? 0);
    return (isFirst ? one : other).shift() as SidedRecord<K, L, R>;
  });
}

/** Splits records by side: a task would process records of two topics that arrive at once by timestamp. */
function bySide<K, L, R>(items: readonly SidedRecord<K, L, R>[], sides: Sides<K, L | R>): Operation<K, L | R>[] {
  const operations: Operation<K, L | R>[] = [];
  let last: { readonly side: string; readonly records: TestRecord<K, L | R>[] } | undefined;
  for (const { side, ...record } of items) {
    if (last?.side !== side) {
      last = { side, records: [] };
      operations.push({ do: 'pipeAll', records: last.records, to: sides[side] });
    }
    last.records.push(record);
  }
  return operations;
}
