import { ConfigError } from '../errors.ts';
import { checkNames, show } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import { bytes } from '../serdes/bytes.ts';
import type { Aggregator } from './aggregator.ts';
import type { Distinguishable } from './distinct.ts';
import { hashOf } from './hash-values.ts';
import { bothOf, estimate, NO_REGISTERS, type Registers, withHash } from './hyper-log-log.ts';

/** @public */
export interface ApproxDistinctOptions {
  /** The standard error relative to the count, from 0.005 to 0.2 (default: 0.02). */
  readonly error?: number;
}

const DEFAULT_ERROR = 0.02;
const [LEAST, MOST] = [0.005, 0.2];
/** The standard error of a HyperLogLog times the square root of its number of registers. */
const ERROR_OF_ONE = 1.04;

/**
 * Counts distinct values approximately, with a HyperLogLog: a few kilobytes of state are enough for millions of values.
 * Two thirds of all counts are within `error` of the exact one, 95 % within twice that, nearly all within three times.
 * For a few values the count is exact or nearly so.
 *
 * With the default error a key takes up to 4 KB, and a twentieth of that for a hundred values. Half the error takes
 * four times the space. The same values give the same count, whatever their order, the process that counted them, or
 * how sessions were merged. Values are compared as in {@link distinct}.
 *
 * @param of - Picks the value.
 * @param options - `error`. State stored with a different error is refused (`ERR_STORE_INCOMPATIBLE`).
 * @returns An aggregator whose result is the approximate number of distinct values.
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<{ user: number }>() });
 * const visitors = topic('visitors', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   clicks.pipe(aggregate(agg.approxDistinct((click) => click.user), { store: 'visitors' }), to(visitors)),
 * );
 * for (let n = 0; n < 3_000; n += 1) driver.pipe(clicks, { key: '/', value: { user: n % 1_000 } });
 * const about = driver.read(visitors).at(-1)?.value ?? 0;
 * console.log(Math.abs(about - 1_000) < 60);
 * // => true
 * ```
 * @see {@link distinct}, which counts exactly and keeps all values.
 * @public
 */
export function approxDistinct<V>(
  of: (value: V) => Distinguishable,
  options: ApproxDistinctOptions = {},
): Aggregator<V, unknown, number> {
  checkWork('agg.approxDistinct', of, 'agg.approxDistinct((click) => click.user)');
  checkNames('agg.approxDistinct', options, { error: true });
  const { error = DEFAULT_ERROR } = options;
  if (typeof error !== 'number' || !(error >= LEAST && error <= MOST)) {
    throw new ConfigError('ERR_OPTION', `agg.approxDistinct: error is ${show(error)}`, {
      hint: `give a share of the count from ${LEAST} to ${MOST}: 0.02 for two in a hundred`,
    });
  }
  const bits = Math.ceil(2 * Math.log2(ERROR_OF_ONE / error));
  const aggregator: Aggregator<V, Registers, number> = {
    name: `approxDistinct(${bits})`,
    init: () => NO_REGISTERS,
    add: (state, value) => withHash(state, bits, hashOf(settled(of(value)))),
    merge: (left, right) => bothOf(left, right, bits),
    result: (state) => estimate(state, bits),
    state: bytes(),
  };
  return aggregator as unknown as Aggregator<V, unknown, number>;
}
