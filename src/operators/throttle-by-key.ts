import type { Observable, OperatorFunction } from 'rxjs';
import { ConfigError } from '../errors.ts';
import type { Duration } from '../options/duration.ts';
import { checkNames, checkOneOf, type OptionNames } from '../options/option-checks.ts';
import { throttleRule } from '../pacing/throttle-rule.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { checkStoreName } from './keyed.ts';
import { graceMsOf, paced, spanMsOf, valuesAs } from './pacing.ts';
import type { KeyedRecord } from './record-types.ts';

/** @public */
export interface ThrottleByKeyOptions<R extends StreamRecord<unknown, unknown>> {
  /**
   * Name of the state store, unique in a pipeline; a second store has the suffix `-open`. Keep the name when the
   * pipeline changes.
   */
  readonly store: string;
  /** How far behind stream time a record may be without being late; spans close that long after their end. */
  readonly grace: Duration;
  /**
   * `first` (default): the record that opens a span. `last`: the newest record of the span, once it has closed. `both`:
   * both of them.
   */
  readonly take?: 'first' | 'last' | 'both';
  /** How values that wait for the end of a span are stored (default: MessagePack). */
  readonly value?: Serde<NonNullable<R['value']>>;
  /** What to do with late records besides counting them: a separate pipeline in the same stage. */
  readonly late?: (records: Observable<LateRecord<NonNullable<R['key']>, R['value']>>) => Observable<unknown>;
}

const OPTIONS: OptionNames<ThrottleByKeyOptions<StreamRecord<unknown, unknown>>> = {
  store: true,
  grace: true,
  take: true,
  value: true,
  late: true,
};

/**
 * Passes on at most one record per key in a span of event time (two with `take: 'both'`).
 *
 * ```text
 * throttleByKey('10s', { grace: '0s', store: 'calm' })
 *
 * source  --a:1(0s)--a:2(4s)--b:7(5s)--a:3(10s)--|
 * result  --a:1(0s)-----------b:7(5s)--a:3(10s)--|
 *
 * with take: 'last'
 * result  ----------------------------a:2(4s)----|
 * ```
 *
 * A record outside every span of its key opens one that is `span` long, end exclusive. `take` chooses the record that
 * passes: the first one, at once; the newest one (the last to arrive, if timestamps are equal), when stream time
 * reaches the end of the span plus `grace`; or `both`, which are one if the span has only one record. Records are
 * unchanged. Waiting records are emitted in order of the ends of their spans, then of key bytes, before the record that
 * advanced stream time. The spans of a key do not overlap: an out-of-order record is discarded if its own span would
 * overlap a later one.
 *
 * A record more than `grace` behind stream time is late: it is counted and passed to `late`. A null key is dropped and
 * counted, and does not advance stream time; a null value is treated like any other. Spans, waiting records and stream
 * time survive restarts. When a bounded run ends, waiting records stay in the store, unless the run closes windows. You
 * can change `grace` and `span` later. No clock is read. By contrast, `throttle` in RxJS uses the wall clock, treats
 * all keys as one, and loses waiting records at a restart.
 *
 * @param span - Length of a span, more than 0.
 * @param options - `store` and `grace` are required.
 * @returns Some of the records, unchanged.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`,
 * `ERR_DUPLICATE_STORE`.
 *
 * @example One reading of each sensor in ten seconds
 * ```ts
 * import { json, string, throttleByKey, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const readings = topic('readings', { key: string(), value: json<number>() });
 * const fewer = topic('fewer-readings', { key: string(), value: json<number>() });
 * const driver = new TestDriver(readings.pipe(throttleByKey('10s', { grace: '0s', store: 'calm' }), to(fewer)));
 * for (const second of [0, 4, 9, 10, 15, 30]) {
 *   driver.pipe(readings, { key: 'cellar', value: second, timestamp: second * 1000 });
 * }
 * console.log(driver.read(fewer).map(({ value }) => value).join());
 * // => 0,10,30
 * ```
 * @public
 */
export function throttleByKey<R extends StreamRecord<unknown, unknown>>(
  span: Duration,
  options: ThrottleByKeyOptions<R>,
): OperatorFunction<R, KeyedRecord<R>> {
  checkNames('throttleByKey', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'throttleByKey');
  const where = `throttleByKey(${name})`;
  const { grace, late, take = 'first', value } = options;
  checkOneOf(where, 'take', take, ['first', 'last', 'both']);
  const spanMs = spanMsOf(where, 'span', span);
  if (take === 'first' && value !== undefined) {
    throw new ConfigError('ERR_OPTION', `${where}: value is given, but no values are kept`, {
      hint: "the first record of a span is emitted at once: leave value out, or give take: 'last'",
    });
  }
  return paced<R, KeyedRecord<R>>({
    step: 'throttleByKey',
    name,
    rule: throttleRule(spanMs, graceMsOf(where, grace), take !== 'last', take !== 'first'),
    ...valuesAs('throttleByKey', value),
    waits: take !== 'first',
    missed: (timestamp) => [{ start: timestamp, end: timestamp + spanMs }],
    late,
  });
}
