import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { withKey } from './derive.ts';
import type { Rekeyed, UnlessAsync, ValuedRecord } from './record-types.ts';

/**
 * Gives each record a new key, computed from its value.
 *
 * ```text
 * keyBy((click) => click.userId)
 *
 * source  --null:{ada}----null:{bob}--|
 * result  --ada:{ada}-----bob:{bob}---|
 * ```
 *
 * The record is still in its old partition. Stateful operators refuse it, at compile time and when the pipeline is
 * planned, until it has been sent {@link through} a topic, which moves it to the partition of its new key.
 *
 * @param select - Returns the key. `null` means no key: the shuffle drops and counts such a record.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, keyBy, string, through, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { value: json<{ user: string }>() });
 * const byUser = topic('clicks-by-user', { key: string(), value: json<{ user: string }>() });
 * const counts = topic('counts', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   clicks.pipe(keyBy((click) => click.user), through(byUser), aggregate(agg.count(), { store: 'counts' }), to(counts)),
 * );
 * driver.pipe(clicks, { value: { user: 'ada' } });
 * console.log(driver.read(counts)[0]?.key);
 * // => ada
 * ```
 * @public
 */
export function keyBy<V, K extends PromiseLike<unknown>, R extends ValuedRecord<V> = ValuedRecord<V>>(
  select: (value: V, record: R) => K,
): UnlessAsync<
  K,
  OperatorFunction<R & ValuedRecord<V>, Rekeyed<K, V>>,
  'keyBy was given an async function: use mapAsync(…) before it'
>;
/** @public */
export function keyBy<V, K, R extends ValuedRecord<V> = ValuedRecord<V>>(
  select: (value: V, record: R) => K,
): OperatorFunction<R & ValuedRecord<V>, Rekeyed<K, V>>;
export function keyBy<V, K, R extends ValuedRecord<V> = ValuedRecord<V>>(
  select: (value: V, record: R) => K,
): OperatorFunction<R & ValuedRecord<V>, Rekeyed<K, V>> {
  checkWork('keyBy', select, 'keyBy((order) => order.customer)');
  return operator<R & ValuedRecord<V>, Rekeyed<K, V>>({
    name: 'keyBy',
    keepsTime: true,
    changesKey: true,
    create:
      ({ out }) =>
      (record) =>
        out.next(withKey(record, select(record.value, record))),
  });
}
