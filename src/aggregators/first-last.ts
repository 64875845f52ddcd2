import { checkWork, settled } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';

/** A value with its event time; `undefined` before the first record. */
type Timed = readonly [timestamp: number, value: unknown] | undefined;

/** Whether a value replaces the one that arrived before it, by their timestamps. */
type Replaces = (timestamp: number, before: number) => boolean;

function edge<V>(
  name: string,
  of: ((value: V) => unknown) | undefined,
  replaces: Replaces,
): Aggregator<V, unknown, never> {
  if (of !== undefined) checkWork(`agg.${name}`, of, `agg.${name}((reading) => reading.celsius)`);
  const aggregator: Aggregator<V, Timed, unknown> = {
    name,
    init: () => undefined,
    add(state, value, { timestamp }) {
      if (state !== undefined && !replaces(timestamp, state[0])) return state;
      return [timestamp, of === undefined ? value : settled(of(value))];
    },
    merge(left, right) {
      if (left === undefined || right === undefined) return left ?? right;
      return replaces(right[0], left[0]) ? right : left;
    },
    result: (state) => state?.[1],
  };
  return aggregator as Aggregator<V, unknown, never>;
}

/**
 * The value of the earliest record by event time. If timestamps are equal, the one that arrived first.
 *
 * @returns An aggregator whose result is that value.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<{ url: string }>() });
 * const landings = topic('landings', { key: string(), value: json<string>() });
 * const driver = new TestDriver(
 *   clicks.pipe(
 *     aggregate(
 *       agg.first((click) => click.url),
 *       { store: 'landings' },
 *     ),
 *     to(landings),
 *   ),
 * );
 * driver.pipe(clicks, { key: 'ada', value: { url: '/cart' }, timestamp: 2_000 });
 * driver.pipe(clicks, { key: 'ada', value: { url: '/' }, timestamp: 1_000 });
 * console.log(driver.read(landings).at(-1)?.value);
 * // => /
 * ```
 * @public
 */
export function first<V>(): Aggregator<V, unknown, V>;
/**
 * What a function returns for the value of the earliest record.
 *
 * @param of - Picks the value.
 * @public
 */
export function first<V, R>(of: (value: V) => R): Aggregator<V, unknown, R>;
export function first<V>(of?: (value: V) => unknown): Aggregator<V, unknown, unknown> {
  return edge('first', of, (timestamp, before) => timestamp < before);
}

/**
 * The value of the latest record by event time. If timestamps are equal, the one that arrived last.
 *
 * @returns An aggregator whose result is that value.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const readings = topic('readings', { key: string(), value: json<number>() });
 * const newest = topic('newest', { key: string(), value: json<number>() });
 * const driver = new TestDriver(readings.pipe(aggregate(agg.last(), { store: 'newest' }), to(newest)));
 * driver.pipe(readings, { key: 'cellar', value: 9, timestamp: 2_000 });
 * driver.pipe(readings, { key: 'cellar', value: 7, timestamp: 1_000 });
 * console.log(driver.read(newest).at(-1)?.value);
 * // => 9
 * ```
 * @public
 */
export function last<V>(): Aggregator<V, unknown, V>;
/**
 * What a function returns for the value of the latest record.
 *
 * @param of - Picks the value.
 * @public
 */
export function last<V, R>(of: (value: V) => R): Aggregator<V, unknown, R>;
export function last<V>(of?: (value: V) => unknown): Aggregator<V, unknown, unknown> {
  return edge('last', of, (timestamp, before) => timestamp >= before);
}
