import type { Observable } from 'rxjs';
import type { Change } from '../record.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** The rows of a table in one task, as they are now. */
export interface Rows<K, V> {
  /** The row of a key; `undefined` where there is none. */
  get(key: NonNullable<K>): NonNullable<V> | undefined;
}

/** The part of a table that an operator needs: what `table(…)` and `asTable(…)` return is one. @public */
export interface TableSource<K, V> {
  readonly name: string;
  /** What happens to its rows. */
  readonly changes: Observable<Change<K, V>>;
  /** @internal Keeps the rows up to date in a task, for steps that only look into them. */
  readonly updates: Stream<unknown>;
  /** @internal The task's part of the table; there as soon as the task is connected. */
  rowsIn(task: TaskContext): Rows<K, V>;
}
