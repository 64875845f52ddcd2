import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { Task } from './task.ts';

/** The shortest time between two ticks of a task, in ms: many things may be due in succession. */
const LEAST_BETWEEN_MS = 1000;

/** The silence of a task. Times are monotonic. */
interface Silence {
  activity: number;
  /** Time of the last record or tick. */
  since: number;
  /** When to check whether something is due; `Infinity` if nothing waits. */
  lookAt: number;
}

/**
 * Lets the stream time of tasks follow the clock while no records arrive. A task is silent while it has read everything
 * that is known to exist and has no calls in progress. It ticks when it has been silent for the configured time and
 * something is due by then: an idle application without open windows does nothing.
 */
export class IdleWatch {
  readonly #idleMs: number | undefined;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #silences = new WeakMap<Task, Silence>();
  #cancel: Cancel | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /**
   * @param idleMs - The `idle` option of the application; `undefined` if it is off, unless an input of a task sets it.
   * @param wake - Requests another check.
   */
  constructor(idleMs: number | undefined, clock: Clock, wake: () => void) {
    this.#idleMs = idleMs;
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Ticks the tasks for which something is due.
   *
   * @param knows - Whether the ends of inputs are known.
   * @returns Whether any task ticked.
   */
  look(tasks: Iterable<Task>, knows: () => boolean): boolean {
    let ticked = false;
    let soonest = Number.POSITIVE_INFINITY;
    for (const task of tasks) {
      const idleMs = toldBy(task) ?? this.#idleMs;
      if (idleMs === undefined) continue;
      const now = this.#clock.monotonic();
      const silence = this.#silenceOf(task, idleMs, now, task.isSilent && knows());
      if (silence.lookAt <= now) ticked = this.#due(task, silence, idleMs, now) || ticked;
      soonest = Math.min(soonest, silence.lookAt);
    }
    this.#arm(soonest);
    return ticked;
  }

  close(): void {
    this.#cancel?.();
  }

  #silenceOf(task: Task, idleMs: number, now: number, silent: boolean): Silence {
    const { activity } = task;
    let silence = this.#silences.get(task);
    if (silence !== undefined && silence.activity === activity && silent) return silence;
    // The silence of a task that has read nothing yet counts from its start.
    if (silence === undefined) {
      silence = { activity, since: now, lookAt: now };
      this.#silences.set(task, silence);
    }
    silence.activity = activity;
    silence.since = now;
    silence.lookAt = now + idleMs;
    return silence;
  }

  #due(task: Task, silence: Silence, idleMs: number, now: number): boolean {
    const elapsed = Math.floor(now - silence.since);
    const waitMs = task.nextTickMs();
    if (waitMs > elapsed) {
      silence.lookAt = silence.since + waitMs;
      return false;
    }
    silence.since += elapsed;
    task.tick(elapsed);
    silence.lookAt = now + Math.min(idleMs, LEAST_BETWEEN_MS);
    return true;
  }

  #arm(at: number): void {
    if (at === this.#armedFor) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.after(Math.max(1, Math.ceil(at - this.#clock.monotonic())), () => {
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.#wake();
    });
  }
}

/** The `idle` option of a task's inputs: the longest if several set it. */
function toldBy({ stage }: Task): number | undefined {
  let longest: number | undefined;
  for (const { idleMs } of stage.inputs) if (idleMs !== undefined) longest = Math.max(longest ?? 0, idleMs);
  return longest;
}
