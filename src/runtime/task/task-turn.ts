import type { Task } from './task.ts';

/** Records between two looks at the outputs. */
const STRETCH = 8;

/**
 * A turn of a task that runs alone: processes up to `most` records, lowest timestamp first, and whatever asynchronous work
 * has finished.
 *
 * @returns Records processed.
 */
export function takeTurn(task: Task, most: number): number {
  if (!task.beginTurn()) return 0;
  const started = task.clock.monotonic();
  let done = 0;
  while (done < most && !task.turnIsFull) {
    const wanted = Math.min(most - done, STRETCH);
    const taken = task.advance(wanted, Number.POSITIVE_INFINITY);
    done += taken;
    if (taken < wanted) break;
  }
  task.endTurn();
  task.turnMs += task.clock.monotonic() - started;
  return done;
}
