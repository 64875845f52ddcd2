import type { KeyValueStore } from '../state/key-value-store.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** The part of a table that an operator needs: what `table(…)` returns is one. @public */
export interface TableSource<K, V> {
  readonly name: string;
  /** @internal Connects the table in a task; emits nothing. */
  readonly updates: Stream<never>;
  /** @internal The task's part of the table. */
  storeIn(task: TaskContext): KeyValueStore<K, NonNullable<V>>;
}
