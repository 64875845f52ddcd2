import type { Logger } from './logger.ts';
import type { PlannedNode } from './plan.ts';

/**
 * Says which steps have results that go nowhere: a forgotten `to(…)` makes an application that works and does nothing. Steps
 * that may be there for what they do are only mentioned: plain operators such as `tap`, calls of `mapAsync`, stores.
 */
export function reportOpenEnds(nodes: Iterable<PlannedNode>, logger: Logger, applicationId: string): void {
  for (const { spec, step } of openEnds(nodes)) {
    const message = `the results of ${step} go nowhere: no to(…) follows it`;
    const purpose = spec.kind === 'rxjs' || spec.name === 'mapAsync' || (spec.stores ?? []).length > 0;
    if (purpose) logger.info({ applicationId, step }, message);
    else logger.warn({ applicationId, step }, message);
  }
}

/** Steps that nothing reads, and that do not write themselves. */
function openEnds(nodes: Iterable<PlannedNode>): PlannedNode[] {
  const all = [...nodes];
  const read = new Set(all.flatMap(({ upstream }) => [...upstream]));
  return all.filter((node) => !read.has(node) && !['sink', 'through', 'table'].includes(node.spec.kind));
}
