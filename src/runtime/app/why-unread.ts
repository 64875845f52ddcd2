import type { Fetcher } from '../../log/transport.ts';
import type { Rounds } from '../task/rounds.ts';
import type { Task } from '../task/task.ts';
import { heldBack, waitingOf } from '../task/task-reach.ts';

/** How long a task makes no progress despite available records before it says so, in ms. */
const LONG_MS = 1000;

/**
 * Describes what tasks wait for.
 *
 * @param known - Whether something else is already known to block them.
 */
export function tasksWaiting(
  tasks: readonly Task[],
  rounds: Pick<Rounds, 'standsFor'>,
  feed: Pick<Fetcher, 'endOffset'>,
  known: boolean,
): string[] {
  const waiting = tasks.map(waitingOf).filter((reason) => reason !== undefined);
  const unread = known || waiting.length > 0 ? [] : whyUnread(tasks, rounds, feed);
  return [...waiting, ...unread, ...tasks.map(heldBack).filter((reason) => reason !== undefined)];
}

/** What tasks wait for that have not gone on for some time although there may be more, when nothing else says why. */
export function whyUnread(
  tasks: Iterable<Task>,
  rounds: Pick<Rounds, 'standsFor'>,
  feed: Pick<Fetcher, 'endOffset'>,
): string[] {
  return Array.from(tasks, (task) => why(task, rounds.standsFor(task), feed)).filter((reason) => reason !== undefined);
}

function why(task: Task, ms: number, feed: Pick<Fetcher, 'endOffset'>): string | undefined {
  if (ms < LONG_MS) return undefined;
  const seconds = Math.floor(ms / 1000);
  for (const { empty, position, use } of task.inputs) {
    const place = `${use.name}/${task.partition}`;
    const last = feed.endOffset(use.name, task.partition);
    if (!empty) return `task ${task.id} has waited for ${seconds} s for its turn, with ${place} at offset ${position}`;
    if (last === undefined) return `task ${task.id} has waited for ${seconds} s to hear where ${place} ends`;
    if (position < last) {
      return `task ${task.id} has waited for ${seconds} s for records of ${place} from offset ${position} to ${last}`;
    }
  }
  return undefined;
}
