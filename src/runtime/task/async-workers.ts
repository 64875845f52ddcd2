import type { AsyncWorker } from '../../dataflow/task-context.ts';

/** The parts of a task that work outside of its turns. */
export class AsyncWorkers {
  /** Records that they have finished, and timers that have fired. */
  done = 0;
  readonly #workers: AsyncWorker[] = [];

  readonly add = (worker: AsyncWorker): void => void this.#workers.push(worker);

  /** Emits what is finished. @returns Whether anything was. */
  drain(): boolean {
    const before = this.done;
    for (const worker of this.#workers) this.done += worker.drain();
    return this.done > before;
  }

  /** Calls that a commit has to wait for. */
  pending(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.pending(), 0);
  }

  /** Whether one of them cannot take another record. */
  get full(): boolean {
    for (const worker of this.#workers) if (worker.full()) return true;
    return false;
  }

  /** What keeps them from taking a record, in words. */
  waitingFor(): string | undefined {
    const full = this.#workers.find((worker) => worker.full());
    return full && `${full.pending()} asynchronous calls of ${full.step}`;
  }
}
