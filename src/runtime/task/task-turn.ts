import type { Task } from './task.ts';

/**
 * A turn of a task that runs alone: processes up to `most` records, lowest timestamp first, and finished asynchronous
 * work.
 *
 * @returns Records processed.
 */
export function takeTurn(task: Task, most: number): number {
  if (!task.beginTurn()) return 0;
  const started = task.clock.monotonic();
  const done = task.advance(most, Number.POSITIVE_INFINITY);
  task.endTurn();
  task.turnMs += task.clock.monotonic() - started;
  return done;
}
