import type { StandardSchemaV1 } from '@standard-schema/spec';
import fc, { type Arbitrary } from 'fast-check';
import { ConfigError } from '../../errors.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import { checkNames, type OptionNames } from '../../options/option-checks.ts';
import type { TestRecord } from '../test-driver.ts';
import { valuesOf } from './from-schema.ts';

/** @public */
export interface RecordsOptions<K, V> {
  /** The possible keys, the first ones more frequent than the last; or an arbitrary. */
  readonly keys: readonly (K | null)[] | Arbitrary<K | null>;
  /** A zod schema, or an arbitrary. */
  readonly values: Arbitrary<V> | StandardSchemaV1<unknown, V>;
  /** The most records (default: 10). Lists of every length up to it are generated. */
  readonly maxLength?: number;
  /** Approximate timestamp of the first record, in ms since the epoch (default: 0). */
  readonly start?: number;
  /**
   * The most by which a record advances event time (default: `'10ms'`). Equal timestamps also occur, and often multiples
   * of the unit below it (such as 1 s for `'4s'`, 10 ms for `'25ms'`), and the last moments before them: there windows
   * begin and end.
   */
  readonly step?: Duration;
  /** How far a record may be behind the highest timestamp before it (default: `'0ms'`, in order). */
  readonly disorder?: Duration;
  /** One record in ten is up to this much further behind: late for windows whose grace is as long as `disorder`. */
  readonly late?: Duration;
  /** The length of occasional gaps without records. */
  readonly gap?: Duration;
  /** One record in ten is an exact repetition. */
  readonly duplicates?: boolean;
  /** One value in ten is null. */
  readonly tombstones?: boolean;
}

const OPTIONS: OptionNames<RecordsOptions<unknown, unknown>> = {
  keys: true,
  values: true,
  maxLength: true,
  start: true,
  step: true,
  disorder: true,
  late: true,
  gap: true,
  duplicates: true,
  tombstones: true,
};

/** A record with its time relative to earlier ones, so that a shrunk input is a possible one too. */
interface Arrival<K, V> {
  readonly key: K | null;
  readonly value: V | null;
  readonly by: number;
  readonly behind: number;
  readonly again: boolean;
  readonly at: Moment;
}

/** Where a record lies among the multiples of a unit. */
type Moment = 'anywhere' | 'multiple' | 'before a multiple';

/**
 * Generates realistic records: repeated keys, bursts and ties, some disorder, late records, gaps.
 *
 * A counterexample shrinks to few records with the first keys and small steps.
 *
 * @example
 * ```ts
 * import { records } from 'millrace/testing/fast-check';
 * import fc from 'fast-check';
 *
 * const clicks = records({ keys: ['ada', 'bob'], values: fc.nat(9), disorder: '5s', late: '1m', tombstones: true });
 * for (const click of fc.sample(clicks, { numRuns: 1, seed: 3 })[0] ?? []) console.log(click.key);
 * ```
 * @public
 */
export function records<K, V>(options: RecordsOptions<K, V>): Arbitrary<TestRecord<K, V>[]> {
  checkNames('records', options, OPTIONS);
  const { duplicates = false, late, maxLength = 10, start = 0, tombstones = false } = options;
  const ms = (name: 'step' | 'disorder' | 'gap', otherwise: Duration): number =>
    durationMs(options[name] ?? otherwise, name);
  const [step, disorder, gap] = [ms('step', '10ms'), ms('disorder', '0ms'), ms('gap', '0ms')];
  const lateMs = late === undefined ? 0 : durationMs(late, 'late');
  const seldom = <T>(usual: Arbitrary<T>, other: Arbitrary<T>): Arbitrary<T> =>
    fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: other, weight: 1 });
  const values: Arbitrary<V | null> = isArbitrary<V>(options.values) ? options.values : valuesOf(options.values);
  const small = fc.nat({ max: step });
  const arrival: Arbitrary<Arrival<K, V>> = fc.record({
    key: keysOf(options.keys),
    value: tombstones ? seldom(values, fc.constant(null)) : values,
    by: gap === 0 ? small : seldom(small, fc.integer({ min: Math.min(step, gap), max: gap })),
    behind:
      lateMs === 0
        ? fc.nat({ max: disorder })
        : seldom(fc.nat({ max: disorder }), fc.integer({ min: disorder, max: disorder + lateMs })),
    at: fc.constantFrom<Moment[]>(
      ...Array.from({ length: 5 }, () => 'anywhere' as const),
      'multiple',
      'multiple',
      'before a multiple',
    ),
    again: duplicates ? seldom(fc.constant(false), fc.constant(true)) : fc.constant(false),
  });
  // Without a size, fast-check makes lists of up to ten items, however many are allowed.
  return fc.array(arrival, { maxLength, size: 'max' }).map((arrivals) => inTime(arrivals, start, unitBelow(step)));
}

/** Keys of a small set, earlier ones more frequent. */
function keysOf<K>(keys: RecordsOptions<K, unknown>['keys']): Arbitrary<K | null> {
  if (!Array.isArray(keys)) return keys as Arbitrary<K | null>;
  if (keys.length === 0)
    throw new ConfigError('ERR_OPTION', 'records: keys is empty', {
      hint: 'give at least one key; [null] for records without',
    });
  const weighted = (keys as readonly (K | null)[]).map((key, at) => ({
    arbitrary: fc.constant(key),
    weight: keys.length - at,
  }));
  return fc.oneof({ withCrossShrink: true }, ...weighted);
}

/** Times in ms that windows are given in: 1, 10, 100, a second, ten, a minute, an hour, a day. */
const UNITS = [1, 10, 100, 1_000, 10_000, 60_000, 3_600_000, 86_400_000];

/** The largest unit that is not longer than a step. */
function unitBelow(step: number): number {
  return UNITS.findLast((unit) => unit <= step) ?? 1;
}

function inTime<K, V>(arrivals: readonly Arrival<K, V>[], start: number, unit: number): TestRecord<K, V>[] {
  let now = start;
  const all: TestRecord<K, V>[] = [];
  for (const { again, at, behind, by, key, value } of arrivals) {
    const before = again ? all.at(-1) : undefined;
    if (before === undefined) {
      const last = floor(now + by, unit) - (at === 'multiple' ? 0 : 1);
      // What lies before the last record would be disorder that nobody asked for.
      const rounded = at !== 'anywhere' && last >= now;
      now = rounded ? last : now + by;
      all.push({ key, value, timestamp: Math.max(0, now - (rounded ? floor(behind, unit) : behind)) });
    } else all.push(before);
  }
  return all;
}

function floor(time: number, unit: number): number {
  return time - (time % unit);
}

function isArbitrary<V>(values: unknown): values is Arbitrary<V> {
  return typeof (values as { readonly generate?: unknown }).generate === 'function';
}
