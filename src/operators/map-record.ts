import type { OperatorFunction } from 'rxjs';
import type { StreamRecord } from '../record.ts';
import { operator } from '../topology/operator.ts';
import { fromNew } from './derive.ts';
import type { NewRecord, Rekeyed } from './record-types.ts';

/**
 * Makes a whole new record of each: key, value and, if wanted, timestamp and headers.
 *
 * The key counts as changed: before a stateful operator the records go `through` a topic.
 *
 * @param make - The new record. A timestamp or headers left out stay as they were.
 * @see {@link keyBy} to change the key only, {@link mapValues} to change the value only.
 * @public
 */
export function mapRecord<K, V, L, U>(
  make: (record: StreamRecord<K, V, unknown>) => NewRecord<L, U>,
): OperatorFunction<StreamRecord<K, V, unknown>, Rekeyed<L, U>> {
  return operator<StreamRecord<K, V, unknown>, Rekeyed<L, U>>({
    name: 'mapRecord',
    changesKey: true,
    create: (out) => (record) => out.next(fromNew(record, make(record))),
  });
}
