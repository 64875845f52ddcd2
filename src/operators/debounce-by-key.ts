import type { Observable, OperatorFunction } from 'rxjs';
import type { Duration } from '../options/duration.ts';
import { checkNames, type OptionNames } from '../options/option-checks.ts';
import { debounceRule } from '../pacing/debounce-rule.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { checkStoreName } from './keyed.ts';
import { graceMsOf, paced, spanMsOf, valuesAs } from './pacing.ts';
import type { KeyedRecord } from './record-types.ts';

/** @public */
export interface DebounceByKeyOptions<R extends StreamRecord<unknown, unknown>> {
  /**
   * Name of the state store, unique in a pipeline; a second store has the suffix `-open`. Keep the name when the
   * pipeline changes.
   */
  readonly store: string;
  /** How long after the silence a late record of the burst is still accepted, in stream time. */
  readonly grace: Duration;
  /** How values are stored (default: MessagePack). */
  readonly value?: Serde<NonNullable<R['value']>>;
  /** What to do with late records besides counting them: a separate pipeline in the same stage. */
  readonly late?: (records: Observable<LateRecord<NonNullable<R['key']>, R['value']>>) => Observable<unknown>;
}

const OPTIONS: OptionNames<DebounceByKeyOptions<StreamRecord<unknown, unknown>>> = {
  store: true,
  grace: true,
  value: true,
  late: true,
};

/**
 * Emits the last record of a burst once its key has been silent for a while in event time.
 *
 * ```text
 * debounceByKey('5s', { grace: '0s', store: 'settled' })
 *
 * source  --a:1(0s)--a:2(3s)--b:7(6s)-----------b:8(20s)--|
 * result  --------------------------a:2(3s)--b:7(6s)------|
 * ```
 *
 * Records of a key that are less than `silence` apart form one burst, whatever their order of arrival: a record between
 * two bursts merges them. The newest record of a burst (the last to arrive, if timestamps are equal) is emitted when
 * stream time reaches its timestamp plus `silence` plus `grace`. The record is unchanged: value, timestamp, headers and
 * partition stay. Bursts that end together are emitted in order of their ends, then of key bytes, before the record
 * that advanced stream time. No clock is read: without further records no burst ends.
 *
 * A record that would only belong to bursts that have ended is late: it is counted and passed to `late`. A null key is
 * dropped and counted, and does not advance stream time; a null value is treated like any other. Bursts and stream time
 * survive restarts. When a bounded run ends, open bursts stay in the store, unless the run closes windows. You can
 * change `silence` and `grace` later. By contrast, `debounce` in RxJS uses the wall clock, treats all keys as one, and
 * loses waiting records at a restart.
 *
 * @param silence - How long a key must be silent, more than 0.
 * @param options - `store` and `grace` are required.
 * @returns Some of the records, unchanged.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`,
 * `ERR_DUPLICATE_STORE`.
 * @see `session` windows, to aggregate the records of a burst.
 *
 * @example What a user typed, once they stop
 * ```ts
 * import { debounceByKey, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const typed = topic('typed', { key: string(), value: string() });
 * const searches = topic('searches', { key: string(), value: string() });
 * const driver = new TestDriver(typed.pipe(debounceByKey('300ms', { grace: '0s', store: 'typing' }), to(searches)));
 * for (const [at, value] of ['t', 'te', 'tea'].entries()) {
 *   driver.pipe(typed, { key: 'ada', value, timestamp: at * 100 });
 *   driver.restart();
 * }
 * driver.pipe(typed, { key: 'bob', value: 'm', timestamp: 500 });
 * console.log(driver.read(searches).map(({ key, value }) => `${key} ${value}`).join());
 * // => ada tea
 * ```
 * @public
 */
export function debounceByKey<R extends StreamRecord<unknown, unknown>>(
  silence: Duration,
  options: DebounceByKeyOptions<R>,
): OperatorFunction<R, KeyedRecord<R>> {
  checkNames('debounceByKey', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'debounceByKey');
  const where = `debounceByKey(${name})`;
  const { grace, late, value } = options;
  const silenceMs = spanMsOf(where, 'silence', silence);
  return paced<R, KeyedRecord<R>>({
    step: 'debounceByKey',
    name,
    rule: debounceRule(silenceMs, graceMsOf(where, grace)),
    ...valuesAs('debounceByKey', value),
    missed: (timestamp) => [{ start: timestamp, end: timestamp + silenceMs }],
    late,
  });
}
