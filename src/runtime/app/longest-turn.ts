import { MillraceError } from '../../errors.ts';
import { bareMessage } from '../../log/record-failures.ts';
import type { Task } from '../task/task.ts';

/** Remembers the longest turn, for failures that it may have caused. */
export class LongestTurn {
  #began = 0;
  #ms = 0;
  #place:
    | { readonly topic: string; readonly partition: number; readonly offset: number; readonly stage: string }
    | undefined;

  /** @returns `now` */
  begin(now: number): number {
    this.#began = now;
    return now;
  }

  /** @returns `now` */
  ended(task: Task, now: number): number {
    const ms = now - this.#began;
    this.#began = now;
    const input = task.lastInput();
    if (ms > this.#ms && input !== undefined) {
      this.#ms = ms;
      const { partition, position, use } = input;
      this.#place = { topic: use.name, partition, offset: position - 1, stage: task.stage.name };
    }
    return now;
  }

  /** The failure of an engine, with the responsible record if a turn took too long. */
  explain(error: unknown): unknown {
    if (!(error instanceof MillraceError) || error.code !== 'ERR_MAX_POLL_INTERVAL') return error;
    if (this.#place === undefined) return error;
    return new MillraceError(error.errorClass, error.code, bareMessage(error), {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...this.#place,
    });
  }
}

/** Detects a record that blocks the process again after the tasks were rebuilt: it would do so forever. */
export class Stuck {
  #at = '';

  again({ code, offset, partition, topic }: MillraceError): boolean {
    if (code !== 'ERR_MAX_POLL_INTERVAL') return false;
    const before = this.#at;
    this.#at = `${topic}/${partition}@${offset}`;
    return this.#at === before;
  }
}
