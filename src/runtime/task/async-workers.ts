import type { AsyncWorker } from '../../dataflow/task-context.ts';
import { counted } from '../../options/counted.ts';

/** The parts of a task that work outside its turns. */
export class AsyncWorkers {
  /** Count of finished records and fired timers. */
  done = 0;
  readonly #workers: AsyncWorker[] = [];

  readonly add = (worker: AsyncWorker): void => void this.#workers.push(worker);

  /** Whether there are any. */
  get any(): boolean {
    return this.#workers.length > 0;
  }

  /** Emits finished records. @returns Whether there were any. */
  drain(): boolean {
    const before = this.done;
    for (const worker of this.#workers) this.done += worker.drain();
    return this.done > before;
  }

  /** Calls that a commit must wait for. */
  pending(): number {
    return this.#workers.reduce((sum, worker) => sum + worker.pending(), 0);
  }

  /** If nothing can happen before a wall-clock time: the step whose calls wait for it, and until when. */
  waitsForClock(): { readonly step: string; readonly calls: number; readonly until: number } | undefined {
    const busy = this.#workers.filter((worker) => worker.pending() > 0);
    let first: { readonly step: string; readonly calls: number; readonly until: number } | undefined;
    for (const worker of busy) {
      const { nextAt: until, step } = worker;
      if (until === undefined) return undefined;
      if (first === undefined || until < first.until) first = { step, calls: worker.pending(), until };
    }
    return first;
  }

  /** Whether one of them cannot take another record. */
  get full(): boolean {
    const workers = this.#workers;
    for (let at = 0; at < workers.length; at += 1) if (workers[at]?.full() === true) return true;
    return false;
  }

  /** Describes what keeps them from taking a record. */
  waitingFor(): string | undefined {
    const full = this.#workers.find((worker) => worker.full());
    return full && `${counted(full.pending(), 'asynchronous call')} of ${full.step}`;
  }
}
