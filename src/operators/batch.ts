import type { OperatorFunction } from 'rxjs';
import type { Duration } from '../options/duration.ts';
import { checkNames, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { batchRule } from '../pacing/batch-rule.ts';
import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { checkStoreName } from './keyed.ts';
import { paced, spanMsOf, valuesAs } from './pacing.ts';

/** @public */
export interface BatchByKeyOptions<V> {
  /** The most values in a batch: a batch of this size is emitted at once. */
  readonly count: number;
  /** How far stream time may advance while a value waits, more than 0. */
  readonly within: Duration;
  /**
   * Name of the state store, unique in a pipeline; a second store has the suffix `-open`. Keep the name when the
   * pipeline changes.
   */
  readonly store: string;
  /** How waiting values are stored (default: MessagePack). */
  readonly value?: Serde<V>;
}

const OPTIONS: OptionNames<BatchByKeyOptions<unknown>> = { count: true, within: true, store: true, value: true };

/**
 * Collects the values of each key into arrays of at most `count` values, for consumers that take many at once.
 *
 * ```text
 * batch({ count: 3, within: '10s', store: 'batches' })
 *
 * source  --a:1(0s)--a:2(2s)--b:7(3s)--a:3(4s)----------b:8(13s)------|
 * result  -----------------------------a:[1,2,3](4s)--b:[7](3s)-------|
 * ```
 *
 * A batch has its values in order of arrival; no record is late. It is emitted when it has `count` values, or when
 * stream time has advanced by `within` since its first value arrived. Batches that are due together are emitted in
 * order of their due times, then of key bytes, before the record that advanced stream time. No clock is read: without
 * further records an incomplete batch keeps waiting.
 *
 * The timestamp of a batch is the highest of its records. It has no headers. Null keys and null values are dropped and
 * counted, and do not advance stream time. Batches and stream time survive restarts, and a restart never splits a
 * batch. When a bounded run ends, open batches stay in the store, unless the run closes windows. A waiting batch is a
 * single entry of its store, written with each commit that changes it: choose `count` accordingly. You can change
 * `count` and `within` later.
 *
 * @param options - `count`, `within` and `store` are required.
 * @returns Records with the same key and an array of values.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`,
 * `ERR_DUPLICATE_STORE`.
 * @see {@link windowBy} with `agg.collect` for arrays per window; `mapAsync` to hand batches to another system.
 *
 * @example
 * ```ts
 * import { batch, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const rows = topic('rows', { key: string(), value: json<number>() });
 * const batches = topic('batches', { key: string(), value: json<number[]>() });
 * const driver = new TestDriver(rows.pipe(batch({ count: 3, within: '1m', store: 'batches' }), to(batches)));
 * for (const value of [1, 2, 3, 4]) driver.pipe(rows, { key: 'a', value, timestamp: value * 1000 });
 * driver.pipe(rows, { key: 'b', value: 9, timestamp: 64_000 });
 * console.log(driver.read(batches).map(({ value }) => `[${value}]`).join(' '));
 * // => [1,2,3] [4]
 * ```
 * @public
 */
export function batch<K, V>(
  options: BatchByKeyOptions<NonNullable<V>>,
): OperatorFunction<StreamRecord<K | null, V | null>, StreamRecord<K, NonNullable<V>[]>> {
  checkNames('batch', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'batch');
  const where = `batch(${name})`;
  const { count, value, within } = options;
  checkWhole(where, 'count', count ?? null, 1);
  return paced<StreamRecord<K | null, V | null>, StreamRecord<K, NonNullable<V>[]>>({
    step: 'batch',
    name,
    rule: batchRule(count, spanMsOf(where, 'within', within)),
    ...valuesAs('batch', value, true),
    nothingIsLate: true,
    dropsNull: true,
    missed: () => [],
  });
}
