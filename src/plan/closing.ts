import { ConfigError } from '../errors.ts';
import type { PlannedNode } from './plan.ts';

/**
 * For the rows of windows that reach a node: how far stream time must pass the end of a window for it to close. The
 * longest, if there are several window steps above; `undefined` without one.
 */
export function closingAbove(node: PlannedNode): number | undefined {
  let longest: number | undefined;
  const above = new Set(node.upstream);
  for (const { spec, upstream } of above) {
    const { closesAfterMs } = spec.traits;
    if (closesAfterMs === undefined) for (const next of upstream) above.add(next);
    else longest = Math.max(longest ?? 0, closesAfterMs);
  }
  return longest;
}

/** @throws ConfigError `ERR_NO_WINDOW` for a node that needs windows that close. */
export function requireWindow(node: PlannedNode, stage: string): void {
  const closesAfter = closingAbove(node);
  if (closesAfter !== undefined && closesAfter < Number.POSITIVE_INFINITY) return;
  const problem = closesAfter === undefined ? 'there is no window above it' : 'the window above it never closes';
  throw new ConfigError('ERR_NO_WINDOW', `${node.step} waits for windows to close, but ${problem}`, {
    stage,
    hint: "put it below windowBy(…, { emit: 'updates' }), without a topic between; or let rows wait for a time: until: '5s'",
  });
}
