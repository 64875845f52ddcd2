import type { StreamRecord, Window } from '../record.ts';
import type { StateHolder } from './state-holder.ts';
import type { StepTime } from './step-time.ts';

/** What a key has in a window. `state` is `undefined` where there is none: an aggregator deleted it. */
export interface WindowRow<K, A> {
  readonly key: NonNullable<K>;
  readonly window: Window;
  readonly state: A | undefined;
  /** Highest timestamp of the records in it. */
  readonly timestamp: number;
  /** Why its state cannot be read, of a window that closes. */
  readonly failure?: unknown;
  /** What is stored of it then. */
  readonly unread?: Uint8Array;
}

/** What the windowing rules say happens; called in order, synchronously. */
export interface WindowEvents<K, A> {
  updated(row: WindowRow<K, A>): void;
  /** A window is gone, because it has become part of another one. */
  merged(row: WindowRow<K, A>): void;
  /** A window has closed with this row. */
  closed(row: WindowRow<K, A>): void;
  /** The record belongs to no window. */
  outside(): void;
  /** The record belongs to windows that have closed already. */
  late(missed: readonly Window[], partial: boolean): void;
}

/** The rules of a kind of windows over the store that it needs: no Observable, no clock, no topic. */
export interface WindowMachine<K, V, A> {
  readonly time: StepTime;
  readonly store: StateHolder;
  /** No row of a window that will close is older; `Infinity` where none will. */
  readonly oldest: number;
  /** Takes one record with a key and a value. */
  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void;
  /** Stream time may go further than before: closes what waited for that. */
  advance(): void;
  /** Stream time at which the next window closes, or a little before; `Infinity` where none is open that closes. */
  readonly nextClose: number;
  /** Moves stream time without a record, as far as it takes to close every open window. */
  closeAll(): void;
  /** What a key has in an open window. */
  read(key: NonNullable<K>, window: Window): WindowRow<K, A> | undefined;
}
