import { ConfigError } from '../errors.ts';
import { checkNames, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { numberOf } from './number-of.ts';
import { quantileSerde } from './quantile-serde.ts';
import { Bins, bothSketches, NO_NUMBERS, percentileOf, type QuantileSketch, withNumber } from './quantile-sketch.ts';

/** @public */
export interface PercentilesOptions {
  /** How far a percentile may be from the exact one, relative to it, from 0.001 to 0.1 (default: 0.01). */
  readonly error?: number;
}

/** Percentiles by their names: `{ p50: …, p99: … }`. @public */
export type Percentiles<P extends number> = { readonly [Name in `p${P}`]: number };

const DEFAULT_ERROR = 0.01;
const [LEAST, MOST] = [0.001, 0.1];

/**
 * Approximate percentiles of a number picked from each value, with a DDSketch: numbers are counted in bins whose width
 * grows with the number. Each percentile is within `error` of the exact one, which is the number that this percentage
 * of all numbers does not exceed (nearest rank). The lowest and the highest number are exact.
 *
 * With the default error a key takes about three bytes for each 2 % of difference between its numbers: a kilobyte for
 * latencies from 1 ms to 10 minutes. If the numbers span more than 2,048 bins (such as from 1 to 10^17), the lowest are
 * counted together. The same numbers give the same percentiles, whatever their order, the process that counted them, or
 * how sessions were merged.
 *
 * @param of - Picks the number. If it is not finite, the record fails.
 * @param percents - Which percentiles, from 0 to 100. You can change them later without losing state.
 * @param options - `error`. State stored with a different error is refused (`ERR_STORE_INCOMPATIBLE`).
 * @returns An aggregator whose result has one field per percentile: `p50`, `p99.9`.
 * @throws ConfigError `ERR_OPTION`
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const calls = topic('calls', { key: string(), value: json<{ ms: number }>() });
 * const slow = topic('slow', { key: string(), value: json<{ p50: number; p99: number }>() });
 * const driver = new TestDriver(
 *   calls.pipe(aggregate(agg.percentiles((call) => call.ms, [50, 99]), { store: 'latency' }), to(slow)),
 * );
 * for (let ms = 1; ms <= 1_000; ms += 1) driver.pipe(calls, { key: '/', value: { ms } });
 * const { p50 = 0, p99 = 0 } = driver.read(slow).at(-1)?.value ?? {};
 * console.log(Math.abs(p50 - 500) <= 5, Math.abs(p99 - 990) <= 9.9);
 * // => true true
 * ```
 * @public
 */
export function percentiles<V, const P extends number>(
  of: (value: V) => number,
  percents: readonly P[],
  options: PercentilesOptions = {},
): Aggregator<V, unknown, Percentiles<P>> {
  checkWork('agg.percentiles', of, 'agg.percentiles((call) => call.ms, [50, 99])');
  checkNames('agg.percentiles', options, { error: true });
  const { error = DEFAULT_ERROR } = options;
  if (typeof error !== 'number' || !(error >= LEAST && error <= MOST)) {
    throw wrong(`error is ${show(error)}`, `give a share from ${LEAST} to ${MOST}: 0.01 for one in a hundred`);
  }
  if (!Array.isArray(percents) || percents.length === 0 || !percents.every((each) => each >= 0 && each <= 100)) {
    throw wrong(`percents are ${show(percents)}`, 'list numbers from 0 to 100: [50, 95, 99]');
  }
  const bins = new Bins(error);
  const aggregator: Aggregator<V, QuantileSketch, Readonly<Record<string, number>>> = {
    name: `percentiles(${error})`,
    init: () => NO_NUMBERS,
    add(state, value) {
      const number = numberOf(of(value), 'agg.percentiles');
      if (!Number.isFinite(number)) throw new RangeError(`agg.percentiles was given ${show(number)}`);
      return withNumber(state, bins.of(number), number);
    },
    merge: bothSketches,
    result: (state) => Object.fromEntries(percents.map((each) => [`p${each}`, percentileOf(state, each, bins)])),
    state: quantileSerde,
  };
  return aggregator as unknown as Aggregator<V, unknown, Percentiles<P>>;
}

function wrong(problem: string, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION', `agg.percentiles: ${problem}`, { hint });
}
