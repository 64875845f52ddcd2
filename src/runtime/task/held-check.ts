import { operatorPlace } from '../../plan/operator-place.ts';
import type { Topology } from '../../plan/topology.ts';
import type { HeldRecords } from './held-records.ts';
import type { TaskFailures } from './task-failures.ts';

/** Before the first record: nothing may wait for a timer or a promise already. */
export function checkStart(held: HeldRecords, topology: Topology, failures: TaskFailures): void {
  const waiting = held.start(topology.roots);
  if (waiting !== undefined) failures.waitsFromStart(operatorPlace(waiting, topology));
}

/** After each turn: what a plain operator keeps for later would be passed by the next commit. */
export function checkHeld(held: HeldRecords, topology: Topology, failures: TaskFailures, completed: boolean): void {
  if (failures.failure !== undefined) return;
  const found = held.check();
  if (found !== undefined) failures.held(operatorPlace(found, topology));
  const ended = completed ? undefined : held.ended();
  if (ended !== undefined) failures.ended(operatorPlace(ended, topology));
}
