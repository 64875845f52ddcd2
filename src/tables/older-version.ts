import type { Step } from '../dataflow/step.ts';
import type { Change } from '../record.ts';

/** Whether a change is that of an older version, which does not concern whoever keeps newest rows: it is counted. */
export function isOlderVersion(change: Change<unknown, unknown>, step: Step<unknown>): boolean {
  if (change.newest !== false) return false;
  step.drop('older version');
  return true;
}
