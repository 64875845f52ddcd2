import { checkNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { checkLimit } from './collect.ts';
import { numberOf } from './number-of.ts';
import { type Before, inserted, joined, type Ranked, valuesOf } from './ranked.ts';

/** @public */
export interface TopKOptions<V> {
  /** How many values to keep. */
  readonly k: number;
  /** The number to order by, the largest first. Values whose number is NaN are ignored. */
  readonly by: (value: V) => number;
}

/** Among equal numbers, the earlier one by event time comes first. */
const larger: Before = (one, earlier) => one[0] > earlier[0] || (one[0] === earlier[0] && one[1] < earlier[1]);

/**
 * The values with the largest numbers, the largest first. Among equal numbers, those with the earlier timestamp win.
 *
 * @param options - `k` and `by`.
 * @returns An aggregator whose result is a list of at most `k` values.
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ id: string; total: number }>() });
 * const largest = topic('largest', { key: string(), value: json<readonly { id: string }[]>() });
 * const driver = new TestDriver(
 *   orders.pipe(aggregate(agg.topK({ k: 2, by: (order) => order.total }), { store: 'largest' }), to(largest)),
 * );
 * for (const [id, total] of [['a', 5], ['b', 9], ['c', 7]] as const) driver.pipe(orders, { key: 'shop', value: { id, total } });
 * console.log(driver.read(largest).at(-1)?.value?.map(({ id }) => id));
 * // => [ 'b', 'c' ]
 * ```
 * @public
 */
export function topK<V>(options: TopKOptions<V>): Aggregator<V, unknown, readonly V[]> {
  checkNames('agg.topK', options ?? {}, { k: true, by: true });
  checkLimit('agg.topK', 'k', options?.k);
  const { by, k } = options;
  checkWork('agg.topK: by', by, 'agg.topK({ k: 3, by: (order) => order.total })');
  const aggregator: Aggregator<V, readonly Ranked[], readonly unknown[]> = {
    name: 'topK',
    init: () => [],
    add(state, value, { timestamp }) {
      const rank = numberOf(by(value), 'agg.topK');
      return Number.isNaN(rank) ? state : inserted(state, [rank, timestamp, value], larger, k);
    },
    merge: (left, right) => joined(left, right, larger, k),
    result: valuesOf,
  };
  return aggregator as unknown as Aggregator<V, unknown, readonly V[]>;
}
