import type { Logger } from '../../log/logger.ts';
import type { PlannedNode } from '../../plan/plan.ts';

/** Steps whose functions may be there for what they do. */
const ACTING = new Set(['mapAsync', 'mapValues', 'flatMapValues', 'mapRecord', 'flatMapRecord', 'process']);

/**
 * Says which steps have results that go nowhere: a forgotten `to(…)` makes an application that works and does nothing. Not of
 * functions of the program's own, in `mapAsync` or `tap`: these may be the end that is meant. A store that is filled is
 * only mentioned.
 */
export function reportOpenEnds(nodes: Iterable<PlannedNode>, logger: Logger, applicationId: string): void {
  for (const { spec, step } of openEnds(nodes)) {
    const message = `the results of ${step} go nowhere: no to(…) follows it`;
    if ((spec.stores ?? []).length > 0) logger.info({ applicationId, step }, message);
    else logger.warn({ applicationId, step }, message);
  }
}

/** Steps that nothing reads, and that do nothing but emit. */
function openEnds(nodes: Iterable<PlannedNode>): PlannedNode[] {
  const all = [...nodes];
  const read = new Set(all.flatMap(({ upstream }) => [...upstream]));
  return all.filter((node) => {
    const { kind, name } = node.spec;
    return !read.has(node) && !['sink', 'through', 'table', 'rxjs'].includes(kind) && !ACTING.has(name);
  });
}
