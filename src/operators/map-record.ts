import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { fromNew } from './derive.ts';
import type { AnyRecord, NewRecord, Rekeyed } from './record-types.ts';

/**
 * Replaces each record with a completely new one: key, value and, optionally, timestamp and headers.
 *
 * ```text
 * mapRecord(({ key, value }) => ({ key: value, value: key }))
 *
 * source  --a:x-----b:y--|
 * result  --x:a-----y:b--|
 * ```
 *
 * The key counts as changed: before a stateful operator, send the records `through` a topic.
 *
 * @param make - Returns the new record. It keeps the original timestamp and headers unless it has its own.
 * @see {@link keyBy} to change the key only, {@link mapValues} to change the value only, {@link mapTimestamp} to change
 * the timestamp only: the last two leave the record in the partition of its key.
 *
 * @example
 * ```ts
 * import { json, mapRecord, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const visits = topic('visits', { key: string(), value: json<string>() });
 * const pages = topic('pages', { key: string(), value: json<string>() });
 * const driver = new TestDriver(visits.pipe(mapRecord(({ key, value }) => ({ key: value, value: key })), to(pages)));
 * driver.pipe(visits, { key: 'ada', value: '/home' });
 * console.log(driver.read(pages)[0]?.key);
 * // => /home
 * ```
 * @public
 */
export function mapRecord<R extends AnyRecord, L, U>(
  make: (record: R) => NewRecord<L, U>,
): OperatorFunction<R, Rekeyed<L, U>> {
  checkWork('mapRecord', make, 'mapRecord(({ key, value }) => ({ key: value.id, value }))');
  return operator<R, Rekeyed<L, U>>({
    name: 'mapRecord',
    changesKey: true,
    create:
      ({ out }) =>
      (record) =>
        out.next(fromNew(record, make(record))),
  });
}
