import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { fromNew } from './derive.ts';
import { listed } from './listed.ts';
import type { AnyRecord, NewRecord, Rekeyed } from './record-types.ts';

/**
 * Replaces each record with any number of completely new records, in order.
 *
 * ```text
 * flatMapRecord(({ key, value }) => value.split(' ').map((word) => ({ key: word, value: key })))
 *
 * source  --a:'x y'---------b:''---|
 * result  --x:'a'--y:'a'----'':'b'-|
 * ```
 *
 * The key counts as changed: before a stateful operator, send the records `through` a topic. All new records are made
 * before the first one is emitted: if `make` throws, none of them is, and the record goes to the record policy.
 *
 * @param make - Returns the new records. They keep the original timestamp and headers unless they have their own.
 *
 * @example
 * ```ts
 * import { flatMapRecord, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<string[]>() });
 * const items = topic('items', { key: string(), value: json<string>() });
 * const driver = new TestDriver(
 *   orders.pipe(flatMapRecord(({ key, value }) => value.map((item) => ({ key: item, value: key }))), to(items)),
 * );
 * driver.pipe(orders, { key: 'order-1', value: ['tea', 'milk'] });
 * console.log(driver.read(items).map(({ key, value }) => `${key} of ${value}`).join(', '));
 * // => tea of order-1, milk of order-1
 * ```
 * @public
 */
export function flatMapRecord<R extends AnyRecord, L, U>(
  make: (record: R) => Iterable<NewRecord<L, U>>,
): OperatorFunction<R, Rekeyed<L, U>> {
  checkWork('flatMapRecord', make, 'flatMapRecord(({ key, value }) => [{ key, value }])');
  return operator<R, Rekeyed<L, U>>({
    name: 'flatMapRecord',
    changesKey: true,
    create:
      ({ out }) =>
      (record) => {
        const records: Rekeyed<L, U>[] = [];
        for (const made of listed(make(record), 'flatMapRecord')) records.push(fromNew(record, made));
        for (const made of records) out.next(made);
      },
  });
}
