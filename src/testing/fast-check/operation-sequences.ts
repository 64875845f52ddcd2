import fc, { type Arbitrary } from 'fast-check';
import { linesOf, type Operation } from '../operations.ts';
import type { TestRecord } from '../test-driver.ts';

/** What may happen between the records of a sequence. @public */
export interface OperationsOptions {
  /** Crashes and stops (default: `true`). */
  readonly restarts?: boolean;
  /** Revoked and lost tasks (default: `true`). */
  readonly rebalances?: boolean;
  /** Failing writes, commits and replies (default: `true`). */
  readonly faults?: boolean;
  /** Commits, for drivers with `autoCommit: false`. */
  readonly commits?: boolean;
  /** The most seconds by which the wall clock advances at once. */
  readonly advanceSeconds?: number;
  /** Bytes that the serdes of the topic cannot read. */
  readonly poison?: boolean;
}

/** What may happen between two records. */
function between<K, V>(options: OperationsOptions): Arbitrary<Operation<K, V>> {
  const {
    advanceSeconds = 0,
    commits = false,
    faults = true,
    poison = false,
    rebalances = true,
    restarts = true,
  } = options;
  const kinds: Arbitrary<Operation<K, V>>[] = [];
  if (commits) kinds.push(fc.constant({ do: 'commit' }));
  if (restarts) kinds.push(fc.constantFrom('crash', 'stop').map((how) => ({ do: 'restart', how }) as const));
  if (rebalances) kinds.push(fc.constantFrom('revoked', 'lost').map((how) => ({ do: 'rebalance', how }) as const));
  if (faults)
    kinds.push(fc.constantFrom('write', 'commit', 'reply').map((what) => ({ do: 'failNext', what }) as const));
  if (advanceSeconds > 0) {
    kinds.push(
      fc.integer({ min: 1, max: advanceSeconds }).map((seconds) => ({ do: 'advanceTime', by: `${seconds}s` }) as const),
    );
  }
  if (poison) {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 4 }).map((tail) => Uint8Array.of(0xff, ...tail));
    kinds.push(
      bytes.map((value) => ({ do: 'poison', record: { key: Uint8Array.of(0xff), value, timestamp: 0 } }) as const),
    );
  }
  return fc.oneof(...kinds);
}

/** Something to insert, and its place in a sequence. */
export type Placed<T> = readonly [place: number, what: T];

/** From before everything to behind it. */
export const PLACES: { readonly min: number; readonly max: number } = { min: 0, max: 1_000 };

/**
 * Operations with places. A place is a part of the way, not an index: that reaches every gap of a sequence of any
 * length, and a counterexample that loses some of its records keeps its operations about where they were.
 */
export function placed<K, V>(
  options: OperationsOptions,
  count: { readonly minLength?: number; readonly maxLength: number },
): Arbitrary<Placed<Operation<K, V>>[]> {
  return fc.array(fc.tuple(fc.integer(PLACES), between<K, V>(options)), count);
}

/** Inserts others into a sequence. */
export function woven<T>(all: readonly T[], others: readonly Placed<T>[]): T[] {
  const at = (index: number): T[] =>
    others.flatMap(([place, what]) =>
      Math.floor((place * (all.length + 1)) / (PLACES.max + 1)) === index ? [what] : [],
    );
  return [...all.flatMap((each, index) => [...at(index), each]), ...at(all.length)];
}

/**
 * Generates sequences of driver operations: records, and between them whatever may happen to an application. Pass them
 * to `drive`.
 *
 * A counterexample is printed as lines of test code.
 *
 * @public
 */
export function operations<K, V>(
  input: { readonly name: string },
  all: Arbitrary<readonly TestRecord<K, V>[]>,
  options: OperationsOptions = {},
): Arbitrary<Operation<K, V>[]> {
  return fc.tuple(all, placed<K, V>(options, { maxLength: 6 })).map(([given, others]) => {
    const sequence = woven<Operation<K, V>>(
      given.map((record) => ({ do: 'pipe', record })),
      others,
    );
    Object.defineProperty(sequence, fc.toStringMethod, { value: () => `\n${linesOf(input, sequence).join('\n')}\n` });
    return sequence;
  });
}
