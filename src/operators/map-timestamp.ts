import type { MonoTypeOperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { withTimestamp } from './derive.ts';
import type { AnyRecord } from './record-types.ts';

/**
 * Gives each record another timestamp, such as one that its producer wrote into the value. Everything else stays the
 * same, so the record is still in the partition of its key and no shuffle is needed.
 *
 * ```text
 * mapTimestamp((click) => click.at)
 *
 * source  --a:{at: 5}(100)----b:{at: 7}(101)--|
 * result  --a:{at: 5}(5)------b:{at: 7}(7)----|
 * ```
 *
 * The steps below use the new timestamp: windows, their stream time, sinks. A task still takes the records of several
 * topics in order of their timestamps in the topics. If all records of a source contain their event time, prefer to
 * give the function to the source: `topic('clicks', { timestamp: (click) => click.at })`.
 *
 * @param select - Returns the event time in ms since the epoch. Called with the value and the whole record.
 * @throws ConfigError `ERR_ASYNC_FUNCTION`. If the timestamp is not a whole number, 0 or more, the record fails
 * (`ERR_TIMESTAMP`).
 *
 * @example
 * ```ts
 * import { agg, int32, json, mapTimestamp, string, to, topic, tumbling, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<{ at: number }>() });
 * const counts = topic('counts', { key: string(), value: int32() });
 * const minute = tumbling({ size: '1m', grace: '0s' });
 * const driver = new TestDriver(
 *   clicks.pipe(mapTimestamp((click) => click.at), windowBy(minute, agg.count(), { store: 'clicks' }), to(counts)),
 * );
 * for (const at of [1_000, 2_000, 60_000]) driver.pipe(clicks, { key: 'ada', value: { at }, timestamp: 1_700_000_000_000 });
 * console.log(driver.read(counts).map((row) => row.value).join());
 * // => 2
 * ```
 * @public
 */
export function mapTimestamp<R extends AnyRecord>(
  select: (value: R['value'], record: R) => number,
): MonoTypeOperatorFunction<R> {
  checkWork('mapTimestamp', select, 'mapTimestamp((order) => order.at)');
  return operator<R, R>({
    name: 'mapTimestamp',
    create:
      ({ out }) =>
      (record) =>
        out.next(withTimestamp(record, select(record.value, record)) as R),
  });
}
