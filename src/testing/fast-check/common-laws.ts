import fc, { type Arbitrary } from 'fast-check';
import type { Operation } from '../operations.ts';
import { comparable, inOrder, rowTexts, same, sorted } from './compare-rows.ts';
import { type Law, law } from './law.ts';
import { placed, woven } from './operation-sequences.ts';
import { throughSerdes } from './through-serdes.ts';
import { attempt, rowsOf, type Subject, textOf, type Way } from './ways.ts';

/**
 * A row that a model returns; it is compared as it would be read from the output, and a missing timestamp not at all.
 * @public
 */
export interface ModelRow<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly timestamp?: number;
}

/** The laws that hold for steps with one input and with several. @public */
export interface CommonLaws {
  /** The rows do not depend on how the input is divided into batches (default: `true`). */
  readonly batching?: boolean;
  /**
   * The rows do not depend on crashes, stops, rebalances, or failing writes and commits at any point (default: `true`).
   */
  readonly restart?: boolean;
  /**
   * The rows do not depend on the number of partitions (default: `false`). Late records break this law: each partition
   * has its own stream time.
   */
  readonly partitions?: boolean;
  /** Number of inputs to try each law on (default: 100). */
  readonly runs?: number;
  /** Seed of the random numbers, to repeat a failure. */
  readonly seed?: number;
}

/** The input of a step under test. */
export interface Feed<I, K, V> {
  readonly inputs: Arbitrary<readonly I[]>;
  /** One record after the other. */
  pipe(item: I): Operation<K, V>;
  /** Records of one topic that arrive at once. */
  pipeAll(items: readonly I[]): readonly Operation<K, V>[];
  /** Records as the step reads them. */
  asRead(items: readonly I[]): readonly I[];
  /** The order in which they are processed when they are read again after a crash (default: unchanged). */
  again?(items: readonly I[]): readonly I[];
}

/** Processes an input record by record, on one partition. */
export function oneByOne<I, K, V>(feed: Feed<I, K, V>, items: readonly I[], more: Partial<Way<K, V>> = {}): Way<K, V> {
  return { partitions: 1, autoCommit: true, operations: items.map((item) => feed.pipe(item)), ...more };
}

/** Checks that two ways lead to the same rows. @throws CheckFailed */
export function agree<K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  one: Way<K, V>,
  other: Way<K, V>,
  as: typeof inOrder,
  why: string,
): void {
  same(as(rowTexts(subject, one)), as(rowTexts(subject, other)), why, () => textOf(subject, other));
}

export function commonLaws<I, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  { batching = true, partitions = false, restart = true }: CommonLaws,
): Law[] {
  const laws: Law[] = [];
  const straight = (items: readonly I[]): Way<K, V> => oneByOne(feed, items);
  if (batching || partitions || restart) laws.push(repeatable(subject, feed));
  if (batching) {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
    laws.push(
      law('batching', feed.inputs, sizes, (items, cuts) => {
        const operations: Operation<K, V>[] = [];
        for (let at = 0, cut = 0; at < items.length; cut += 1) {
          const size = cuts[cut % cuts.length] as number;
          operations.push(...feed.pipeAll(items.slice(at, at + size)));
          at += size;
        }
        const batches = oneByOne(feed, items, { operations });
        agree(subject, straight(items), batches, inOrder, 'in batches the rows are not those of one by one');
      }),
    );
  }
  if (restart) {
    const ways = fc.tuple(placed<K, V>({ commits: true }, { minLength: 1, maxLength: 6 }), fc.boolean());
    laws.push(
      law(
        'restart',
        feed.inputs,
        ways,
        (items, [others, autoCommit]) => {
          const way = straight(feed.again?.(items) ?? items);
          const broken = { ...way, autoCommit, operations: woven(way.operations, others) };
          agree(subject, way, broken, inOrder, 'after an interruption the rows are not those of a straight run');
        },
        { simpler: ([others, autoCommit]) => others.map((_, at) => [others.toSpliced(at, 1), autoCommit]) },
      ),
    );
  }
  if (partitions) {
    laws.push(
      law('partitions', feed.inputs, fc.integer({ min: 2, max: 4 }), (items, count) => {
        const wide = oneByOne(feed, items, { partitions: count });
        agree(subject, straight(items), wide, sorted, `on ${count} partitions the rows are not those on one`);
      }),
    );
  }
  return laws;
}

/**
 * The law that the other laws rest on: the same input gives the same rows again. Each try gets a pipeline of its own, so
 * that what an earlier try has left does not hide anything, and a failure can be shrunk.
 */
function repeatable<I, K, V, RK, RV>(subject: Subject<K, V, RK, RV>, feed: Feed<I, K, V>): Law {
  const check = (items: readonly I[]): void => {
    const under = { ...subject, pipeline: subject.anew() };
    const way = oneByOne(feed, items);
    const why =
      'the same input gives other rows the second time: the operator keeps something in a variable outside of the pipeline, ' +
      'where restarts and partitions share it, or uses random numbers or the time of day';
    agree(under, way, way, inOrder, why);
  };
  return law('repeatable', feed.inputs, fc.constant(undefined), check, { runs: 20 });
}

/** The law that the rows are those of a plain function. */
export function modelLaw<I, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  model: (items: readonly I[]) => readonly ModelRow<RK, RV>[],
): Law {
  return law('model', feed.inputs, fc.constant(undefined), (items) => {
    const way = oneByOne(feed, items);
    const program = (): string => textOf(subject, way);
    const wanted = attempt(program, () =>
      model(feed.asRead(items)).map((row) => throughSerdes<RK, RV, ModelRow<RK, RV>>(subject.output, row)),
    );
    const [expected, got] = comparable(wanted, rowsOf(subject, way));
    same(expected, got, 'the rows are not those of the model', program);
  });
}
