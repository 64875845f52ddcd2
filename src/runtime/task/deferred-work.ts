import type { Deferred } from '../../dataflow/task-context.ts';

/** Work of a task's steps that waits until the current record has reached everything above them. */
export class DeferredWork {
  /** Whether there is any. It is a field because it is checked for each record. */
  waiting = false;
  #work: Deferred[] = [];

  add(work: Deferred): void {
    this.#work.push(work);
    this.waiting = true;
  }

  /** Runs the work from the sources down, so that each step has all its input from above before it starts. */
  settle(depth: number = Number.POSITIVE_INFINITY): void {
    while (this.#work.length > 0) {
      const next = this.#work.reduce((best, work) => (work.depth < best.depth ? work : best));
      if (next.depth > depth) return;
      this.#work = this.#work.filter((work) => work !== next);
      this.waiting = this.#work.length > 0;
      next.run();
    }
  }
}
