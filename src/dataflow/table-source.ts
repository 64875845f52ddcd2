import type { Observable } from 'rxjs';
import type { Change } from '../record.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** By what time rows with a time to live end. */
export interface RowTime {
  /**
   * Rows have ended that are not removed yet, because time came from somebody who looks. They are not found any more, but what
   * other steps made of them is still in their stores.
   */
  readonly behind: boolean;
  /** Time has come to there for whoever looks rows up. What has ended is removed as soon as the record under way is done. */
  reach(timestamp: number): void;
}

/** The rows of a table in one task, as they are now. */
export interface Rows<K, V> {
  /** The row of a key; `undefined` where there is none. */
  get(key: NonNullable<K>): NonNullable<V> | undefined;
  /** Event time of that row, in ms; −1 where there is none. */
  timestampOf(key: NonNullable<K>): number;
  /**
   * The row that a key had at a time, in tables with history: in all whose {@link TableSource.historyMs} says so. Times from
   * before the history have no row, but for the newest one of the key, which never expires.
   */
  at?(key: NonNullable<K>, time: number): NonNullable<V> | undefined;
  /** In tables whose rows have a time to live, and in what is made of these. */
  readonly time?: RowTime | undefined;
}

/** The part of a table that an operator needs: what `table(…)` and `asTable(…)` return is one. @public */
export interface TableSource<K, V> {
  readonly name: string;
  /** What happens to its rows. */
  readonly changes: Observable<Change<K, V>>;
  /** How far back rows can be looked up, in ms of event time; `undefined` where only the newest ones are kept. */
  readonly historyMs: number | undefined;
  /** @internal Keeps the rows up to date in a task, for steps that only look into them. */
  readonly updates: Stream<unknown>;
  /** @internal The task's part of the table; there as soon as the task is connected. */
  rowsIn(task: TaskContext): Rows<K, V>;
}
