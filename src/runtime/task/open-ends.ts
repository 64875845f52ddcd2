import type { Observable } from 'rxjs';
import { Stream } from '../../dataflow/stream.ts';
import type { Logger } from '../../log/logger.ts';
import type { PlannedNode } from '../../plan/plan.ts';
import type { Topology } from '../../plan/topology.ts';

/** Steps whose functions may exist for their side effects. */
const ACTING = new Set(['mapAsync', 'mapValues', 'flatMapValues', 'mapRecord', 'flatMapRecord', 'process']);

/**
 * Warns about steps whose results go nowhere: an application with a forgotten `to(…)` works but has no effect.
 * Functions of the program, in `mapAsync` or `tap`, are not reported, because they may be the intended end. A step that
 * only fills a store is reported at a lower level.
 */
export function reportOpenEnds(nodes: Iterable<PlannedNode>, logger: Logger, applicationId: string): void {
  for (const { spec, step } of openEnds(nodes)) {
    const message = `the results of ${step} go nowhere: no to(…) follows it`;
    if ((spec.stores ?? []).length > 0) logger.info({ applicationId, step }, message);
    else logger.warn({ applicationId, step }, message);
  }
}

/** Steps that make a new value from a record. A function with only side effects makes none. */
const MAKING = new Set(['mapValues', 'flatMapValues', 'mapRecord', 'flatMapRecord']);

/** The messages already logged by the tasks of a pipeline. */
const TOLD = new WeakMap<Topology, Set<string>>();

/**
 * Checks the results of a step that ends a pipeline with a function of the program: if it makes a value, the value goes
 * nowhere, which is logged once.
 *
 * @returns A function to call with each result; `undefined` if there is nothing to check.
 */
export function watchOpenEnd(
  root: Observable<unknown>,
  topology: Topology,
  logger: Logger,
  applicationId: string,
): ((result: unknown) => void) | undefined {
  const node = root instanceof Stream ? topology.node(root as Stream<unknown>) : undefined;
  if (node === undefined || !MAKING.has(node.spec.name)) return undefined;
  for (const { upstream } of topology.nodes) if (upstream.has(node)) return undefined;
  const told = TOLD.get(topology) ?? new Set<string>();
  TOLD.set(topology, told);
  let done = false;
  return (result) => {
    if (done || (result as { readonly value?: unknown } | null)?.value === undefined) return;
    done = true;
    if (told.has(node.step)) return;
    told.add(node.step);
    const message = `the results of ${node.step} go nowhere: no to(…) follows it (what only looks at records stands in tap(…))`;
    logger.warn({ applicationId, step: node.step }, message);
  };
}

/** Steps that nothing reads and that only emit. */
function openEnds(nodes: Iterable<PlannedNode>): PlannedNode[] {
  const all = [...nodes];
  const read = new Set(all.flatMap(({ upstream }) => [...upstream]));
  return all.filter((node) => {
    const { kind, name } = node.spec;
    return !read.has(node) && !['sink', 'through', 'table', 'rxjs'].includes(kind) && !ACTING.has(name);
  });
}
