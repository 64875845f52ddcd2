import type { Observable, ObservedValueOf } from 'rxjs';
import { node } from '../dataflow/operator.ts';
import { ConfigError } from '../errors.ts';
import type { AnyRecord } from './record-types.ts';

/**
 * Merges streams into one with the records of all of them.
 *
 * ```text
 * union(left, right)
 *
 * left    --a:1---------c:3--|
 * right   -------b:2---------|
 * result  --a:1--b:2----c:3--|
 * ```
 *
 * Records are passed on as they arrive, in timestamp order among the topics of a task, as everywhere. If the streams
 * come from one source, the records derived from one record of that source follow the order of the arguments. Unlike
 * `merge` in RxJS, it is a step of its own with a name in graphs. The streams should have the same key serde or no
 * keys; otherwise a stateful step below refuses them when the pipeline is planned (`ERR_KEY_SERDES`). The result
 * completes when all streams have completed.
 *
 * Stateless: a restart repeats nothing.
 *
 * @param sources - The streams. A stream that is listed twice contributes its records twice.
 * @throws ConfigError `ERR_PIPELINE` without streams.
 *
 * @example
 * ```ts
 * import { json, string, to, topic, union } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const visit = { key: string(), value: json<{ page: string }>() };
 * const [web, phone, all] = [topic('web', visit), topic('phone', visit), topic('visits', visit)];
 * const driver = new TestDriver(union(web, phone).pipe(to(all)));
 * driver.pipe(phone, { key: 'ada', value: { page: '/' } });
 * console.log(driver.read(all).length);
 * // => 1
 * ```
 * @public
 */
export function union<const S extends readonly Observable<AnyRecord>[]>(
  ...sources: S
): Observable<ObservedValueOf<S[number]>> {
  if (sources.length === 0) {
    throw new ConfigError('ERR_PIPELINE', 'union was given no stream', {
      hint: 'give it the streams to merge: union(web, phone)',
    });
  }
  return node<ObservedValueOf<S[number]>, ObservedValueOf<S[number]>>(sources, {
    name: 'union',
    keepsTime: true,
    create: ({ out }) => ({ take: sources.map(() => (record: ObservedValueOf<S[number]>) => out.next(record)) }),
  });
}
