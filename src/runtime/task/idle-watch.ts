import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { Task } from './task.ts';

/** Ticks of a task are at least so far apart, in ms: many things may be due one after the other. */
const LEAST_BETWEEN_MS = 1000;

/** What is known of the silence of a task. Times are those of the monotonic clock. */
interface Silence {
  activity: number;
  /** When the last record came, or the last tick. */
  since: number;
  /** When to look whether something is due; `Infinity` when nothing waits. */
  lookAt: number;
}

/**
 * Lets the stream time of tasks go on with the clock while nothing comes. A task is silent while it has read all that is known to
 * be there, and has no calls under way. It ticks when it has been silent for so long as it was told and something is due by then: an idle
 * application with nothing open does nothing.
 */
export class IdleWatch {
  readonly #idleMs: number | undefined;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #silences = new WeakMap<Task, Silence>();
  #cancel: Cancel | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /**
   * @param idleMs - Of the application; `undefined` where silence means nothing, unless inputs of a task say otherwise.
   * @param wake - Asks for another look.
   */
  constructor(idleMs: number | undefined, clock: Clock, wake: () => void) {
    this.#idleMs = idleMs;
    this.#clock = clock;
    this.#wake = wake;
  }

  /**
   * Lets tasks tick for which something is due.
   *
   * @param knows - Tells whether it is known what there is to read.
   * @returns Whether one did.
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
    // A task that has read nothing yet has its silence from its start on.
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

/** What the inputs of a task say: the longest, where several do. */
function toldBy({ stage }: Task): number | undefined {
  let longest: number | undefined;
  for (const { idleMs } of stage.inputs) if (idleMs !== undefined) longest = Math.max(longest ?? 0, idleMs);
  return longest;
}
