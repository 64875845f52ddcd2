import type { AssignedTask } from './task-starts.ts';

/**
 * The tasks of a process, built or not, with the assignment that gave them: a task that goes to another process and comes back
 * while it is being opened begins elsewhere, and is not opened by what was found before.
 */
export class OwnedTasks {
  readonly #given = new Map<string, object>();

  get size(): number {
    return this.#given.size;
  }

  /** Tasks were assigned. @returns Picks those of what was found out about them that are to be opened. */
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
