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
  /** Name of the state stores, unique in a pipeline; they are called so, and with `-open`. Keep it when the pipeline changes. */
  readonly store: string;
  /** How far behind stream time a record may be and still be looked at; spans close so long after their end. */
  readonly grace: Duration;
  /** `first` (default): the record that opens a span. `last`: the newest of the span, when it has closed. `both`. */
  readonly take?: 'first' | 'last' | 'both';
  /** How values are kept that wait for the end of a span; as MessagePack when left out. */
  readonly value?: Serde<NonNullable<R['value']>>;
  /** What to do with late records, beside counting them: a pipeline of its own inside the same stage. */
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
 * Lets at most one record of each key pass in a span of event time.
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
 * A record that lies in no span of its key opens one that is `span` long, its end excluded. `take` chooses the record of a span that
 * goes on: the first one, at once; the newest one (of equal timestamps that which came last), when stream time has reached the end of
 * the span and `grace`; or `both`, where a span of a single record gives one. What goes on is not changed. Records that wait go on by the ends
 * of their spans, then by key bytes, before the record that moved time there. Spans of a key do not overlap: a record that comes out of
 * order, so near before a span that its own would, is left out.
 *
 * A record that is more than `grace` behind stream time is late: counted, and handed to `late`. A null key is dropped and counted, and
 * moves no time; a null value is a value as others. Spans, what waits and stream time survive restarts; when a bounded run ends
 * records that wait stay, unless it was told to close windows. `grace` and `span` may be changed later. No clock is read. The
 * `throttle` of RxJS holds records by the clock on the wall, for all keys together, and forgets them at a restart.
 *
 * @param span - How long, above 0.
 * @param options - `store` and `grace` are required.
 * @returns Records as they came, fewer of them.
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
      hint: "the first record of a span goes on at once: leave value out, or give take: 'last'",
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
