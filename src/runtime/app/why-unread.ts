import type { Task } from '../task/task.ts';

/** A task that has not gone on for longer than this, although there is more, says so; in ms. */
const LONG_MS = 1000;

/**
 * What a task waits for that has not gone on for some time, when nothing else says why; `undefined` when it has read all that
 * is known to be there.
 *
 * @param ms - For how long it has not gone on.
 * @param end - The offset after the last readable record of an input, if known.
 */
export function whyUnread(task: Task, ms: number, end: (topic: string) => number | undefined): string | undefined {
  if (ms < LONG_MS) return undefined;
  const seconds = Math.floor(ms / 1000);
  for (const { empty, position, use } of task.inputs) {
    const place = `${use.name}/${task.partition}`;
    const last = end(use.name);
    if (!empty) return `task ${task.id} has waited for ${seconds} s for its turn, with ${place} at offset ${position}`;
    if (last === undefined) return `task ${task.id} has waited for ${seconds} s to hear where ${place} ends`;
    if (position < last) {
      return `task ${task.id} has waited for ${seconds} s for records of ${place} from offset ${position} to ${last}`;
    }
  }
  return undefined;
}
