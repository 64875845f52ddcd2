import fc from 'fast-check';
import { type Duration, durationMs } from '../../options/duration.ts';
import type { TestRecord } from '../test-driver.ts';
import { agree, inOrder, sorted } from './compare-rows.ts';
import { type Feed, inBatches, oneByOne, type Timed, timed } from './feed.ts';
import { type Law, law } from './law.ts';
import { placed, woven } from './operation-sequences.ts';
import type { Subject, Way } from './ways.ts';

/**
 * The laws that compare two ways to process the same records. They compare the rows with their headers, the records that
 * were late, and the dead letters.
 *
 * @public
 */
export interface CommonLaws {
  /** The rows do not depend on how the input is divided into batches (default: `true`). */
  readonly batching?: boolean;
  /**
   * The rows do not depend on crashes, stops, rebalances, or failing writes and commits at any point (default: `true`).
   */
  readonly restart?: boolean;
  /**
   * The rows do not depend on the number of partitions (default: `false`). Late records break this law, and rows at a
   * stream time, such as those of timers: each partition has its own stream time.
   */
  readonly partitions?: boolean;
  /**
   * The wall clock advances by up to this much at a time between records, so that timers of the wall clock fire
   * (default: it stands still). The laws above then commit each record at once: work that is redone later may have
   * another result. The other laws leave the clock alone.
   */
  readonly advance?: Duration;
  /** Number of inputs to try each law on (default: 100). */
  readonly runs?: number;
  /** Seed of the random numbers, to repeat a failure. */
  readonly seed?: number;
}

export function commonLaws<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  { advance, batching = true, partitions = false, restart = true }: CommonLaws,
): Law[] {
  const laws: Law[] = [];
  const advances = advance === undefined ? 0 : durationMs(advance, 'advance');
  const inputs = timed(feed, advances);
  const straight = (items: Timed<I>): Way<K, V> => oneByOne(feed, items);
  if (batching || partitions || restart) laws.push(repeatable(subject, feed, advances));
  if (batching) {
    const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
    const why = 'in batches the rows are not those of one by one';
    laws.push(
      law('batching', inputs, sizes, (items, cuts) => {
        agree(subject, straight(items), inBatches(feed, items, cuts), { as: inOrder, why });
      }),
    );
  }
  if (restart) laws.push(restartLaw(subject, feed, advances));
  if (partitions) {
    laws.push(
      law('partitions', inputs, fc.integer({ min: 2, max: 4 }), (items, count) => {
        const why = `on ${count} partitions the rows are not those on one`;
        agree(subject, straight(items), oneByOne(feed, items, { partitions: count }), { as: sorted, why });
      }),
    );
  }
  return laws;
}

function restartLaw<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  advances: number,
): Law {
  const others = placed<K, V>({ commits: true }, { minLength: 1, maxLength: 6 });
  const ways = fc.tuple(others, advances === 0 ? fc.boolean() : fc.constant(true));
  const why = 'after an interruption the rows are not those of a straight run';
  const whyRebuilt =
    'after a restart with a pipeline that is built anew, as in a new process, the rows are not those of a straight run: ' +
    'the operator keeps something in a variable';
  return law(
    'restart',
    timed(feed, advances),
    ways,
    (items, [interruptions, autoCommit]) => {
      const way = oneByOne(feed, advances === 0 && feed.again ? feed.again(items as readonly I[]) : items);
      const broken = { ...way, autoCommit, operations: woven(way.operations, interruptions) };
      if (!subject.rebuilds) return agree(subject, way, broken, { as: inOrder, why });
      try {
        agree(subject, way, { ...broken, rebuilt: true }, { as: inOrder, why: whyRebuilt });
      } catch (error) {
        // What the same pipeline shows needs no other one.
        agree(subject, way, broken, { as: inOrder, why });
        throw error;
      }
    },
    {
      simpler: ([some, autoCommit]) =>
        some.map((_, at) => [some.toSpliced(at, 1), autoCommit] as [typeof some, boolean]),
    },
  );
}

/**
 * The law that the other laws rest on: the same input gives the same rows again. Each try gets a pipeline of its own, so
 * that what an earlier try has left does not hide anything, and a failure can be shrunk.
 */
function repeatable<I extends TestRecord<unknown, unknown>, K, V, RK, RV>(
  subject: Subject<K, V, RK, RV>,
  feed: Feed<I, K, V>,
  advances: number,
): Law {
  const check = (items: Timed<I>): void => {
    const under = { ...subject, pipeline: subject.anew() };
    const way = oneByOne(feed, items);
    const why =
      'the same input gives other rows the second time: the operator keeps something in a variable outside of the pipeline, ' +
      'where restarts and partitions share it, or uses random numbers or the time of day';
    agree(under, way, way, { as: inOrder, why });
  };
  return law('repeatable', timed(feed, advances), fc.constant(undefined), check, { runs: 20 });
}
