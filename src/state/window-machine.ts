import type { StreamRecord, Window } from '../record.ts';
import type { StateHolder } from './state-holder.ts';
import type { StepTime } from './step-time.ts';

/** The state of a key in a window. `state` is `undefined` if the aggregator deleted it. */
export interface WindowRow<K, A> {
  readonly key: NonNullable<K>;
  readonly window: Window;
  readonly state: A | undefined;
  /** Highest timestamp of the records in it. */
  readonly timestamp: number;
  /** For a window that closes: why its state cannot be read. */
  readonly failure?: unknown;
  /** The stored bytes of an unreadable state. */
  readonly unread?: Uint8Array;
}

/** Callbacks for the results of the windowing rules; called in order, synchronously. */
export interface WindowEvents<K, A> {
  updated(row: WindowRow<K, A>): void;
  /** A window was merged into another one. */
  merged(row: WindowRow<K, A>): void;
  /** A window has closed with this row. */
  closed(row: WindowRow<K, A>): void;
  /** The record belongs to no window. */
  outside(): void;
  /** The record belongs to windows that have already closed. */
  late(missed: readonly Window[], partial: boolean): void;
}

/** The rules of one kind of windows over its store, free of Observables, clocks and topics. */
export interface WindowMachine<K, V, A> {
  readonly time: StepTime;
  readonly store: StateHolder;
  /** Lower bound for the timestamps of rows of windows that will close; `Infinity` if none will. */
  readonly oldest: number;
  /** Adds one record with a key and a value. */
  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void;
  /** The limit of stream time has risen: closes what waited for that. */
  advance(): void;
  /** Stream time at which the next window closes, or slightly before; `Infinity` if no open window will close. */
  readonly nextClose: number;
  /** Advances stream time without a record until every open window has closed. */
  closeAll(): void;
  /** The row of a key in an open window. */
  read(key: NonNullable<K>, window: Window): WindowRow<K, A> | undefined;
}
