import { isObservable, type Observable } from 'rxjs';
import { node, portOf } from '../dataflow/operator.ts';
import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import type { AnyRecord } from './record-types.ts';

/**
 * Splits a stream by named predicates. Each record goes to the first branch whose predicate returns true; failing that,
 * to the default branch if there is one.
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
 * Steps above the branch point run once per record, not once per branch. If a predicate throws, the record fails and
 * goes to the record policy; no branch gets it.
 *
 * @param source - The stream to split.
 * @param predicates - Predicates by branch name, tested in this order.
 * @param otherwise - Name of the branch for records that no predicate accepts. Without it they are dropped.
 * @returns One stream for each branch name.
 * @throws ConfigError `ERR_BRANCH_NAME` if the default branch has the name of a predicate.
 *
 * @example
 * ```ts
 * import { branch, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const readings = topic('readings', { key: string(), value: json<number>() });
 * const alarms = topic('alarms', { key: string(), value: json<number>() });
 * const normal = topic('normal', { key: string(), value: json<number>() });
 * const { hot, rest } = branch(readings, { hot: ({ value }) => value > 80 }, 'rest');
 * const driver = new TestDriver([hot.pipe(to(alarms)), rest.pipe(to(normal))]);
 * driver.pipeAll(readings, [{ key: 'a', value: 20 }, { key: 'b', value: 95 }]);
 * console.log(driver.read(alarms).length, driver.read(normal).length);
 * // => 1 1
 * ```
 * @public
 */
export function branch<R extends AnyRecord, N extends string, D extends string = never>(
  source: Observable<R>,
  predicates: Readonly<Record<N, (record: R) => boolean>>,
  otherwise?: D,
): Readonly<Record<N | D, Observable<R>>> {
  checkBranch(source, predicates);
  const names: string[] = Object.keys(predicates);
  const tests = Object.values<(record: R) => boolean>(predicates);
  for (const [at, test] of tests.entries())
    checkWork(`branch(${names[at]})`, test, 'branch(readings, { hot: ({ value }) => value > 80 })');
  if (otherwise !== undefined) {
    if (names.includes(otherwise)) {
      throw new ConfigError('ERR_BRANCH_NAME', `two branches are called ${otherwise}`, { hint: 'rename one of them' });
    }
    names.push(otherwise);
  }
  const routed = node<R, never>([source], {
    name: 'branch',
    keepsTime: true,
    detail: names.join(', '),
    ports: names,
    create(step) {
      const outlets = names.map((name) => step.port<R>(name));
      return (record) => {
        let to = 0;
        while (to < tests.length && !settled((tests[to] as (record: R) => boolean)(record))) to += 1;
        outlets[to]?.next(record);
      };
    },
  });
  const branches = names.map((name): [string, Observable<R>] => [name, portOf<R>(routed, name)]);
  return Object.fromEntries(branches) as Record<N | D, Observable<R>>;
}

function checkBranch(source: unknown, predicates: unknown): void {
  if (isObservable(source) && typeof predicates === 'object' && predicates !== null) return;
  const [what, given] = isObservable(source) ? ['predicates', predicates] : ['a stream', source];
  throw new ConfigError('ERR_OPTION', `branch(…) was given ${show(given)} instead of ${what}`, {
    hint: 'call branch with a stream and predicates: branch(readings, { hot: ({ value }) => value > 80 })',
  });
}
