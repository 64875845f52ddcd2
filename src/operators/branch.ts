import { filter, map, type Observable } from 'rxjs';
import { ConfigError } from '../errors.ts';
import { checkSync, settled } from '../promises.ts';
import { operatorStream } from '../topology/operator.ts';
import type { AnyRecord } from './record-types.ts';

interface Routed<R> {
  readonly record: R;
  readonly to: number;
}

/**
 * Splits a stream by named predicates. Each record goes to the first branch whose predicate holds, else to the default
 * branch, else nowhere.
 *
 * ```text
 * branch(source, { even: (r) => r.value % 2 === 0, big: (r) => r.value > 5 }, 'rest')
 *
 * source  --1--2--7--|
 * even    -----2-----|
 * big     --------7--|
 * rest    --1--------|
 * ```
 *
 * What is above the branch point runs once per record, never once per branch. A throwing predicate is a failure of that
 * record and goes to the record policy: no branch gets it.
 *
 * @param source - The stream to split.
 * @param predicates - By branch name, asked in this order.
 * @param otherwise - Name of the branch for records that no predicate took. Left out: they are dropped.
 * @returns A stream per branch name.
 * @throws ConfigError `ERR_BRANCH_NAME` when the default has the name of a predicate.
 * @public
 */
export function branch<R extends AnyRecord, N extends string, D extends string = never>(
  source: Observable<R>,
  predicates: Readonly<Record<N, (record: R) => boolean>>,
  otherwise?: D,
): Readonly<Record<N | D, Observable<R>>> {
  const names: string[] = Object.keys(predicates);
  const tests = Object.values<(record: R) => boolean>(predicates);
  for (const [at, test] of tests.entries()) checkSync(`branch(${names[at]})`, test);
  if (otherwise !== undefined) {
    if (names.includes(otherwise)) {
      throw new ConfigError('ERR_BRANCH_NAME', `two branches are called ${otherwise}`, { hint: 'rename one of them' });
    }
    names.push(otherwise);
  }
  const routed = operatorStream<R, Routed<R>>(source, {
    name: 'branch',
    detail: names.join(', '),
    create: (out) => (record) => {
      let to = 0;
      while (to < tests.length && !settled((tests[to] as (record: R) => boolean)(record))) to += 1;
      if (to < names.length) out.next({ record, to });
    },
  });
  const branches = names.map((name, at) => [
    name,
    routed.pipe(
      filter(({ to }) => to === at),
      map(({ record }) => record),
    ),
  ]);
  return Object.fromEntries(branches) as Record<N | D, Observable<R>>;
}
