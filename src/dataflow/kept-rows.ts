import type { Rows } from './table-source.ts';
import type { TaskContext } from './task-context.ts';

/** The rows that a step keeps in its store, for other steps to look up. Each instance of the step registers its own. */
export class KeptRows<K, V> {
  readonly #tasks = new WeakMap<TaskContext, Rows<K, V>>();

  keep(task: TaskContext, rows: Rows<K, V>): void {
    this.#tasks.set(task, rows);
  }

  /** The rows of a task; call it once the task's steps are connected. */
  in(task: TaskContext): Rows<K, V> {
    const rows = this.#tasks.get(task);
    if (rows === undefined) throw new Error('rows were looked up before the step that keeps them was connected');
    return rows;
  }
}
