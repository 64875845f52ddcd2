import { ConfigError } from '../errors.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import type { Aggregator } from './aggregator.ts';
import { type Before, inserted, joined, type Ranked, valuesOf } from './ranked.ts';

/** @public */
export interface CollectOptions {
  /** The most values to keep. Required, because the state grows with it. */
  readonly limit: number;
  /** Which values to keep if there are more: the `first` or the `last` (default) by event time. */
  readonly keep?: 'first' | 'last';
}

/** Checks that a limit is a whole number, 1 or more. @throws ConfigError `ERR_OPTION` */
export function checkLimit(where: string, name: string, limit: unknown): void {
  if (typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 1) return;
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(limit)}`, {
    hint: 'give a whole number, 1 or more: state grows with it',
  });
}

const earliest: Before = (one, earlier) => one[1] < earlier[1];
/** Ordered from the latest value to the earliest, so that the surplus is at the end. */
const latest: Before = (one, earlier) => one[1] >= earlier[1];

/**
 * Collects the values themselves, up to a limit, ordered by event time, and by arrival if timestamps are equal.
 *
 * @param options - `limit`, and which values to `keep`.
 * @returns An aggregator whose result is a list of values.
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<string>() });
 * const trails = topic('trails', { key: string(), value: json<readonly string[]>() });
 * const driver = new TestDriver(
 *   clicks.pipe(aggregate(agg.collect({ limit: 2 }), { store: 'trails' }), to(trails)),
 * );
 * for (const [at, url] of ['/', '/cart', '/pay'].entries()) driver.pipe(clicks, { key: 'ada', value: url, timestamp: at });
 * console.log(driver.read(trails).at(-1)?.value);
 * // => [ '/cart', '/pay' ]
 * ```
 * @public
 */
export function collect<V>(options: CollectOptions): Aggregator<V, unknown, readonly V[]> {
  checkNames('agg.collect', options ?? {}, { limit: true, keep: true });
  checkLimit('agg.collect', 'limit', options?.limit);
  const { keep = 'last', limit } = options;
  checkOneOf('agg.collect', 'keep', keep, ['first', 'last']);
  const before = keep === 'first' ? earliest : latest;
  const aggregator: Aggregator<V, readonly Ranked[], readonly unknown[]> = {
    name: 'collect',
    init: () => [],
    add: (state, value, { timestamp }) => inserted(state, [0, timestamp, value], before, limit),
    // A list ordered from the latest value is merged from its oldest value, so that equal values of the right side stay
    // after those of the left.
    merge: (left, right) => joined(left, keep === 'first' ? right : right.toReversed(), before, limit),
    result: (state) => (keep === 'first' ? valuesOf(state) : valuesOf(state).toReversed()),
  };
  return aggregator as unknown as Aggregator<V, unknown, readonly V[]>;
}
