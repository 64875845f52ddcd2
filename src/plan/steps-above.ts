import type { PlannedNode } from './plan.ts';

/** The steps between the topics of a stage and a step, without the step itself. */
export function stepsAbove(node: PlannedNode): Set<PlannedNode> {
  const above = new Set(node.upstream);
  // A set also visits what is added while it is walked.
  for (const { upstream } of above) for (const next of upstream) above.add(next);
  return above;
}
