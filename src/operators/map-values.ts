import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { withValue } from './derive.ts';
import type { UnlessAsync, ValuedRecord, WithValue } from './record-types.ts';

/**
 * Replaces the value of each record; key, timestamp, headers and window stay the same.
 *
 * ```text
 * mapValues((n) => n * 10)
 *
 * source  --a:1----b:2----|
 * result  --a:10---b:20---|
 * ```
 *
 * If the function throws, the record fails and goes to the record policy. Stateless: a restart repeats nothing.
 *
 * @param project - Returns the new value. Called with the value and the whole record.
 * @returns Records with the new value; co-located records stay co-located.
 * @see rxjs `map` to compute the whole record.
 *
 * @example
 * ```ts
 * import { json, mapValues, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const celsius = topic('celsius', { key: string(), value: json<number>() });
 * const fahrenheit = topic('fahrenheit', { key: string(), value: json<number>() });
 * const driver = new TestDriver(celsius.pipe(mapValues((degrees) => degrees * 1.8 + 32), to(fahrenheit)));
 * driver.pipe(celsius, { key: 'oslo', value: 10 });
 * console.log(driver.read(fahrenheit)[0]?.value);
 * // => 50
 * ```
 * @public
 */
export function mapValues<V, U extends PromiseLike<unknown>, R extends ValuedRecord<V> = ValuedRecord<V>>(
  project: (value: V, record: R) => U,
): UnlessAsync<
  U,
  OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>>,
  'mapValues was given an async function: use mapAsync(…)'
>;
/** @public */
export function mapValues<V, U, R extends ValuedRecord<V> = ValuedRecord<V>>(
  project: (value: V, record: R) => U,
): OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>>;
export function mapValues<V, U, R extends ValuedRecord<V> = ValuedRecord<V>>(
  project: (value: V, record: R) => U,
): OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>> {
  checkWork('mapValues', project, 'mapValues((order) => order.total)');
  return operator<R & ValuedRecord<V>, WithValue<R, U>>({
    name: 'mapValues',
    keepsTime: true,
    create:
      ({ out }) =>
      (record) =>
        out.next(withValue(record, project(record.value, record)) as WithValue<R, U>),
  });
}
