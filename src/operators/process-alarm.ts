import type { TaskContext } from '../dataflow/task-context.ts';

/** Clocks may jump, and the timers of JavaScript engines have a maximum delay. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** Requests a turn of the task when something is due by the wall clock. */
export class Alarm {
  /** Whether it has rung since it was last checked. */
  rang = false;
  readonly #task: Pick<TaskContext, 'clock' | 'wake'>;
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(task: Pick<TaskContext, 'clock' | 'wake'>) {
    this.#task = task;
  }

  /** Sets it to ring at a time, unless it is already set to an earlier one. */
  arm(time: number): void {
    if (time >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = time;
    const { clock } = this.#task;
    const waitMs = Math.min(Math.max(0, time - clock.now()), LONGEST_WAIT_MS);
    this.#cancel = clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.ring();
    });
  }

  ring(): void {
    this.rang = true;
    this.#task.wake();
  }

  readonly close = (): void => this.#cancel?.();
}
