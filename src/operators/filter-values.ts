import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork, settled } from '../options/promises.ts';
import type { ValuedRecord, WithValue } from './record-types.ts';

/**
 * Keeps the records whose value satisfies a predicate.
 *
 * ```text
 * filterValues((n) => n > 1)
 *
 * source  --a:1----b:2----a:3--|
 * result  ---------b:2----a:3--|
 * ```
 *
 * A type guard narrows the value. If the predicate throws, the record fails and goes to the record policy. Stateless: a
 * restart repeats nothing.
 *
 * @param predicate - Called with the value and the whole record.
 * @see rxjs `filter` to test the whole record.
 *
 * @example
 * ```ts
 * import { filterValues, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const payments = topic('payments', { key: string(), value: json<number>() });
 * const large = topic('large-payments', { key: string(), value: json<number>() });
 * const driver = new TestDriver(payments.pipe(filterValues((amount) => amount >= 1000), to(large)));
 * driver.pipeAll(payments, [{ key: 'ada', value: 20 }, { key: 'bob', value: 4000 }]);
 * console.log(driver.read(large).map(({ key }) => key).join());
 * // => bob
 * ```
 * @public
 */
export function filterValues<V, U extends V, R extends ValuedRecord<V> = ValuedRecord<V>>(
  predicate: (value: V, record: R) => value is U,
): OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>>;
/** @public */
export function filterValues<V, R extends ValuedRecord<V> = ValuedRecord<V>>(
  predicate: (value: V, record: R) => boolean,
): OperatorFunction<R & ValuedRecord<V>, NoInfer<R>>;
export function filterValues<V, R extends ValuedRecord<V> = ValuedRecord<V>>(
  predicate: (value: V, record: R) => boolean,
): OperatorFunction<R & ValuedRecord<V>, NoInfer<R>> {
  checkWork('filterValues', predicate, 'filterValues((order) => order.total > 0)');
  return operator<R & ValuedRecord<V>, R>({
    name: 'filterValues',
    keepsTime: true,
    create:
      ({ out }) =>
      (record) => {
        const passes = predicate(record.value, record);
        if (passes === true || (passes !== false && settled(passes as unknown))) out.next(record);
      },
  });
}
