import type { Step } from '../dataflow/step.ts';
import type { Change } from '../record.ts';

/**
 * Whether a change concerns an older version. Steps that keep only the newest rows ignore such a change; it is counted
 * as dropped.
 */
export function isOlderVersion(change: Change<unknown, unknown>, step: Step<unknown>): boolean {
  if (change.newest !== false) return false;
  step.drop('older version');
  return true;
}
