import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkWork } from '../options/promises.ts';
import { withValue } from './derive.ts';
import { listed } from './listed.ts';
import type { ValuedRecord, WithValue } from './record-types.ts';

/**
 * Replaces each record with any number of records with new values, in order; key, timestamp and window stay the same.
 *
 * ```text
 * flatMapValues((text) => text.split(' '))
 *
 * source  --a:'x y'--------b:''---|
 * result  --a:'x'--a:'y'---b:''---|
 * ```
 *
 * All values are computed before the first one is emitted: if `project` throws, none of them is, and the record goes to
 * the record policy.
 *
 * @param project - Returns the new values.
 *
 * @example
 * ```ts
 * import { flatMapValues, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const lines = topic('lines', { key: string(), value: json<string>() });
 * const words = topic('words', { key: string(), value: json<string>() });
 * const driver = new TestDriver(lines.pipe(flatMapValues((line) => line.split(' ')), to(words)));
 * driver.pipe(lines, { key: 'poem', value: 'so much depends' });
 * console.log(driver.read(words).map(({ value }) => value).join());
 * // => so,much,depends
 * ```
 * @public
 */
export function flatMapValues<V, U, R extends ValuedRecord<V> = ValuedRecord<V>>(
  project: (value: V, record: R) => Iterable<U>,
): OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>> {
  checkWork('flatMapValues', project, 'flatMapValues((order) => order.lines)');
  return operator<R & ValuedRecord<V>, WithValue<R, U>>({
    name: 'flatMapValues',
    keepsTime: true,
    create:
      ({ out }) =>
      (record) => {
        const made = project(record.value, record);
        const values = Array.isArray(made) ? (made as readonly U[]) : [...listed(made, 'flatMapValues')];
        for (let at = 0; at < values.length; at += 1) out.next(withValue(record, values[at] as U) as WithValue<R, U>);
      },
  });
}
