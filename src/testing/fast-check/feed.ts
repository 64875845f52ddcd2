import fc, { type Arbitrary } from 'fast-check';
import type { Operation } from '../operations.ts';
import type { TestRecord } from '../test-driver.ts';
import { PLACES, type Placed, woven } from './operation-sequences.ts';
import type { Way } from './ways.ts';

/** The input of a step under test: records of type `I`. */
export interface Feed<I extends TestRecord<unknown, unknown>, K, V> {
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

/** An advance of the wall clock between two records. */
export class Advance {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** Records, and the wall clock between them. */
export type Timed<I> = readonly (I | Advance)[];

/**
 * Inputs between whose records the wall clock advances.
 *
 * @param maxMs - The most by which it advances at once; with 0 it stands still.
 */
export function timed<I extends TestRecord<unknown, unknown>, K, V>(
  { inputs }: Feed<I, K, V>,
  maxMs: number,
): Arbitrary<Timed<I>> {
  if (maxMs === 0) return inputs;
  const advance = fc.integer({ min: 1, max: maxMs }).map((ms) => new Advance(ms));
  const advances = fc.array(fc.tuple(fc.integer(PLACES), advance), { maxLength: 6 });
  return fc
    .tuple(inputs, advances)
    .map(([items, others]) => woven<I | Advance>(items, others as readonly Placed<Advance>[]));
}

/** Processes an input record by record, on one partition. */
export function oneByOne<I extends TestRecord<unknown, unknown>, K, V>(
  feed: Feed<I, K, V>,
  items: Timed<I>,
  more: Partial<Way<K, V>> = {},
): Way<K, V> {
  const operations = items.map((item) => (item instanceof Advance ? advanceBy(item) : feed.pipe(item)));
  return { partitions: 1, autoCommit: true, operations, ...more };
}

/**
 * Processes an input in batches.
 *
 * @param sizes - The sizes of the batches, in turn; the clock does not advance within a batch, which ends before.
 */
export function inBatches<I extends TestRecord<unknown, unknown>, K, V>(
  feed: Feed<I, K, V>,
  items: Timed<I>,
  sizes: readonly number[],
): Way<K, V> {
  const operations: Operation<K, V>[] = [];
  let batch: I[] = [];
  let batches = 0;
  const end = (): void => {
    if (batch.length === 0) return;
    operations.push(...feed.pipeAll(batch));
    batch = [];
    batches += 1;
  };
  for (const item of items) {
    if (item instanceof Advance) {
      end();
      operations.push(advanceBy(item));
    } else {
      batch.push(item);
      if (batch.length === sizes[batches % sizes.length]) end();
    }
  }
  end();
  return oneByOne(feed, [], { operations });
}

function advanceBy({ ms }: Advance): Extract<Operation<unknown, unknown>, { do: 'advanceTime' }> {
  return { do: 'advanceTime', by: `${ms}ms` };
}
