import type { OperatorFunction } from 'rxjs';
import type { StreamRecord } from '../record.ts';
import { operator } from '../topology/operator.ts';
import { fromNew } from './derive.ts';
import type { NewRecord, Rekeyed } from './record-types.ts';

/**
 * Makes none, one or several whole new records of each, in order.
 *
 * The key counts as changed: before a stateful operator the records go `through` a topic. All records are made before
 * the first one is emitted: when `make` throws nothing of that record goes on.
 *
 * @param make - The new records. A timestamp or headers left out stay as they were.
 * @public
 */
export function flatMapRecord<K, V, L, U>(
  make: (record: StreamRecord<K, V, unknown>) => Iterable<NewRecord<L, U>>,
): OperatorFunction<StreamRecord<K, V, unknown>, Rekeyed<L, U>> {
  return operator<StreamRecord<K, V, unknown>, Rekeyed<L, U>>({
    name: 'flatMapRecord',
    changesKey: true,
    create: (out) => (record) => {
      const records: Rekeyed<L, U>[] = [];
      for (const made of make(record)) records.push(fromNew(record, made));
      for (const made of records) out.next(made);
    },
  });
}
