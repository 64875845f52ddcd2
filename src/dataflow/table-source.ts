import type { Observable } from 'rxjs';
import type { Change } from '../record.ts';
import type { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** The time by which rows with a time to live expire. */
export interface RowTime {
  /**
   * Whether rows have expired that are not removed yet, because a look-up advanced the time. They are no longer found,
   * but rows that other steps derived from them are still in the stores of those steps.
   */
  readonly behind: boolean;
  /** Advances the time for look-ups. Expired rows are removed as soon as the current record is done. */
  reach(timestamp: number): void;
}

/** The current rows of a table in one task. */
export interface Rows<K, V> {
  /** The row of a key; `undefined` if there is none. */
  get(key: NonNullable<K>): NonNullable<V> | undefined;
  /** Event time of that row, in ms; −1 if there is none. */
  timestampOf(key: NonNullable<K>): number;
  /**
   * The row that a key had at a given time. Present in tables with history (see {@link TableSource.historyMs}). Times
   * before the history have no row, unless the newest row of the key is that old: it never expires.
   */
  at?(key: NonNullable<K>, time: number): NonNullable<V> | undefined;
  /** Present in tables whose rows have a time to live, and in tables derived from these. */
  readonly time?: RowTime | undefined;
}

/** The part of a table that operators need. `table(…)` and `asTable(…)` return one. @public */
export interface TableSource<K, V> {
  readonly name: string;
  /** The changes of its rows. */
  readonly changes: Observable<Change<K, V>>;
  /** How far back rows can be looked up, in ms of event time; `undefined` if only the newest rows are kept. */
  readonly historyMs: number | undefined;
  /** @internal Keeps the rows up to date in a task, for steps that only look them up. */
  readonly updates: Stream<unknown>;
  /** @internal The task's part of the table, available once the task is connected. */
  rowsIn(task: TaskContext): Rows<K, V>;
}
