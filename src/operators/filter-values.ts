import type { MonoTypeOperatorFunction, OperatorFunction } from 'rxjs';
import { operator } from '../topology/operator.ts';
import type { AnyRecord, WithValue } from './record-types.ts';

/**
 * Keeps the records whose value passes.
 *
 * ```text
 * filterValues((n) => n > 1)
 *
 * source  --a:1----b:2----a:3--|
 * result  ---------b:2----a:3--|
 * ```
 *
 * A type guard narrows the value. A throw is a failure of that record and goes to the record policy.
 *
 * @param predicate - Called with the value and the whole record.
 * @see rxjs `filter` to judge the whole record.
 * @public
 */
export function filterValues<R extends AnyRecord, U extends R['value']>(
  predicate: (value: R['value'], record: R) => value is U,
): OperatorFunction<R, WithValue<R, U>>;
/** @public */
export function filterValues<R extends AnyRecord>(
  predicate: (value: R['value'], record: R) => boolean,
): MonoTypeOperatorFunction<R>;
export function filterValues<R extends AnyRecord>(
  predicate: (value: R['value'], record: R) => boolean,
): MonoTypeOperatorFunction<R> {
  return operator<R, R>({
    name: 'filterValues',
    create: (out) => (record) => {
      if (predicate(record.value, record)) out.next(record);
    },
  });
}
