import type { MonoTypeOperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { withTimestamp } from './derive.ts';
import type { AnyRecord } from './record-types.ts';

/**
 * Gives each record another timestamp, such as the one that its producer wrote into the value. All else stays, so that the
 * record still lies where its key belongs: no shuffle is needed.
 *
 * ```text
 * mapTimestamp((click) => click.at)
 *
 * source  --a:{at: 5}(100)----b:{at: 7}(101)--|
 * result  --a:{at: 5}(5)------b:{at: 7}(7)----|
 * ```
 *
 * Steps below go by the new timestamp: windows, their stream time, sinks. The order in which a task takes records of several
 * topics is that of the timestamps in the topics: where all records of a source say when they happened, better give the source the
 * function, `topic('clicks', { timestamp: (click) => click.at })`.
 *
 * @param select - Event time in ms since the epoch. Called with the value and the whole record.
 * @throws ConfigError `ERR_ASYNC_FUNCTION`. A timestamp that is no whole number from 0 on is a failure of that record
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
