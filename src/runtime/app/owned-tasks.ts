import type { AssignedTask } from './task-starts.ts';

/**
 * The tasks of a process, built or not, with their assignments: a task that moves to another process and back while it
 * is being opened starts at another place, so the earlier look-up must not be used.
 */
export class OwnedTasks {
  readonly #given = new Map<string, object>();

  get size(): number {
    return this.#given.size;
  }

  /** Records an assignment of tasks. @returns A filter for the looked-up tasks that are still to be opened. */
  give(ids: readonly string[]): (found: readonly AssignedTask[]) => readonly AssignedTask[] {
    const giving = {};
    for (const id of ids) this.#given.set(id, giving);
    return (found) => {
      const kept = found.filter(({ spec }) => this.#given.get(spec.id) === giving);
      for (const task of kept) this.#given.set(task.spec.id, task);
      return kept;
    };
  }

  /** Whether a task is owned by this assignment. */
  has(task: AssignedTask): boolean {
    return this.#given.get(task.spec.id) === task;
  }

  remove(id: string): void {
    this.#given.delete(id);
  }
}
