import type { OperatorFunction } from 'rxjs';
import type { GlobalSource } from '../dataflow/global-source.ts';
import { operator } from '../dataflow/operator.ts';
import { checkWork, settled } from '../options/promises.ts';
import { withValue } from './derive.ts';
import type { AnyRecord, WithValue } from './record-types.ts';

/**
 * Combines records with rows of a global table, by a key that is chosen for each record. The record may be in any
 * partition.
 *
 * If the chosen key is null, an inner join drops and counts the record and a left join combines it with null. A null
 * value is dropped and counted.
 */
export function joinGlobal<K, U, R extends AnyRecord, W>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W,
  keyOf: (value: NonNullable<R['value']>, record: R) => K | null,
  left: boolean,
): OperatorFunction<R, WithValue<R, W>> {
  checkWork(`joinTable(${right.name}): key`, keyOf, '{ key: (order) => order.productId }');
  return operator<R, WithValue<R, W>>({
    name: 'joinTable',
    keepsTime: true,
    detail: right.name,
    globals: [right.use],
    create(step) {
      const { out } = step;
      const rows = step.task.global(right.use);
      return (record) => {
        const value = record.value as NonNullable<R['value']> | null;
        if (value === null) {
          step.drop('null value');
          return;
        }
        const key = settled(keyOf(value, record));
        if (key === null || key === undefined) {
          if (!left) {
            step.drop('null key');
            return;
          }
          out.next(withValue(record, combine(value, null, record)) as WithValue<R, W>);
          return;
        }
        const row = rows.get(key) as NonNullable<U> | undefined;
        if (row === undefined && !left) return;
        out.next(withValue(record, combine(value, row ?? null, record)) as WithValue<R, W>);
      };
    },
  });
}
