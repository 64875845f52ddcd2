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
  /** Name of the state stores, unique in a pipeline; they are called so, and with `-open`. Keep it when the pipeline changes. */
  readonly store: string;
  /** How long after the silence a record of the burst is still taken, in stream time. */
  readonly grace: Duration;
  /** How values are kept; as MessagePack when left out. */
  readonly value?: Serde<NonNullable<R['value']>>;
  /** What to do with late records, beside counting them: a pipeline of its own inside the same stage. */
  readonly late?: (records: Observable<LateRecord<NonNullable<R['key']>, R['value']>>) => Observable<unknown>;
}

const OPTIONS: OptionNames<DebounceByKeyOptions<StreamRecord<unknown, unknown>>> = {
  store: true,
  grace: true,
  value: true,
  late: true,
};

/**
 * Lets the last record of a burst go on, once its key has been silent for a while in event time.
 *
 * ```text
 * debounceByKey('5s', { grace: '0s', store: 'settled' })
 *
 * source  --a:1(0s)--a:2(3s)--b:7(6s)-----------b:8(20s)--|
 * result  --------------------------a:2(3s)--b:7(6s)------|
 * ```
 *
 * Records of a key that are less than `silence` apart are one burst, in whatever order they come: a record between two bursts makes
 * one of them. Its newest record (of equal timestamps that which came last) goes on when stream time has reached its timestamp,
 * `silence` and `grace`. It is not changed: value, timestamp, headers and place stay. Bursts that end together come by their ends,
 * then by key bytes, before the record that moved time there. No clock is read: without records nothing ends.
 *
 * A record that would only belong to bursts that have ended is late: counted, and handed to `late`. A null key is dropped and counted,
 * and moves no time; a null value is a value as others. Bursts and stream time survive restarts; when a bounded run ends open ones
 * stay, unless it was told to close windows. `silence` and `grace` may be changed later. The `debounce` of RxJS waits by the
 * clock on the wall, for all keys together, and forgets what waits at a restart.
 *
 * @param silence - How long, above 0.
 * @param options - `store` and `grace` are required.
 * @returns Records as they came, fewer of them.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`,
 * `ERR_DUPLICATE_STORE`.
 * @see `session` windows, to aggregate the records of a burst.
 *
 * @example What somebody typed, when they stop
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
