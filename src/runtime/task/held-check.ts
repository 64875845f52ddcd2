import { operatorPlace } from '../../plan/operator-place.ts';
import type { Topology } from '../../plan/topology.ts';
import type { HeldRecords } from './held-records.ts';
import type { TaskFailures } from './task-failures.ts';

/** Checks before the first record that nothing already waits for a timer or a promise. */
export function checkStart(held: HeldRecords, topology: Topology, failures: TaskFailures): void {
  const waiting = held.start(topology.roots);
  if (waiting !== undefined) failures.waitsFromStart(operatorPlace(waiting, topology));
}

/** Checks after each turn that no plain operator holds a record: the next commit would go past it. */
export function checkHeld(held: HeldRecords, topology: Topology, failures: TaskFailures, completed: boolean): void {
  if (failures.failure !== undefined) return;
  const found = held.check();
  if (found !== undefined) failures.held(operatorPlace(found, topology));
  const ended = completed ? undefined : held.ended();
  if (ended !== undefined) failures.ended(operatorPlace(ended, topology));
}
