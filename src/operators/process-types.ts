import type { Observable } from 'rxjs';
import type { Duration } from '../options/duration.ts';
import type { Headers, StreamRecord, Window } from '../record.ts';
import type { TimerKind } from '../state/timer-store.ts';
import type { KeyValue, KeyValueDeclaration, RecordKey, StoreDeclaration } from './key-value.ts';
import type { Output } from './output.ts';

/** The input of a {@link process} step: records that are in the partitions of their keys. @public */
export type ProcessInput = StreamRecord<unknown, unknown>;

/** The keys of records; records without a key are dropped and counted before a step sees them. @public */
export type KeyOf<R extends ProcessInput> = NonNullable<R['key']>;

/** A record that has a key. @public */
export type Keyed<R extends ProcessInput> = R & { readonly key: KeyOf<R> };

/** The stores of a step, by the names that the step uses. @public */
export type StoreDeclarations = Readonly<Record<string, StoreDeclaration>>;

/**
 * A repeating timer, one per task, independent of keys.
 *
 * With `stream-time` it fires at multiples of the interval, as soon as there is data; with `wall-clock` it first fires
 * one interval after the start. If several intervals pass at once, there is only one call.
 *
 * @public
 */
export interface Interval {
  readonly every: Duration;
  readonly of: TimerKind;
}

/**
 * The timers of a step, by name: `'stream-time'` and `'wall-clock'` timers are set for keys; an {@link Interval} runs
 * by itself.
 *
 * @public
 */
export type TimerDeclarations = Readonly<Record<string, TimerKind | Interval>>;

/** The outputs of a step besides its main one, by name. @public */
export type OutputDeclarations = Readonly<Record<string, Output<unknown>>>;

/** The type of the values of an output. @public */
export type OutputValue<O> = O extends Output<infer T> ? T : never;

/** The handle of a store in its step. @public */
export type StoreHandle<D, K> =
  D extends KeyValueDeclaration<infer L, infer V>
    ? KeyValue<L extends RecordKey ? K : NonNullable<L>, NonNullable<V>>
    : never;

/**
 * Sets timers for keys. They are kept with the state and survive restarts. Times are in milliseconds since the epoch.
 *
 * A time that has already been reached fires soon: in stream time, after the function that set it or with the next
 * record.
 *
 * @public
 */
export interface KeyTimer<K> {
  /** Sets the timer of a key and replaces all earlier ones. @param key - Default: the current key. */
  set(time: number, key?: K): void;
  /** Adds a time for the key; adding the same time twice has no effect. */
  add(time: number, key?: K): void;
  /** Cancels all times that are set for the key. */
  cancel(key?: K): void;
}

/** Overrides for an emitted value. @public */
export interface EmitOptions {
  /** Event time in ms since the epoch (default: that of the record or the timer). */
  readonly timestamp?: number;
  /** Headers (default: those of the record; none when a timer fires). */
  readonly headers?: Headers;
}

/** Like {@link EmitOptions}, for a call without a current key. @public */
export interface KeyedEmitOptions<K> extends EmitOptions {
  /** A key that belongs to this task, such as that of an entry in a store. */
  readonly key: K;
}

/**
 * What the functions of a step can use while they run. Changes take effect when the function returns: if it throws,
 * neither state nor output of the call is kept.
 *
 * @public
 */
export interface ProcessStep<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends StepParts<K, S, T> {
  /** The key of the record or the timer. */
  readonly key: K;
  readonly outputs: { readonly [N in keyof P]: (value: OutputValue<P[N]>, options?: EmitOptions) => void };
  /** Emits a value with the current key. */
  readonly emit: (value: Out, options?: EmitOptions) => void;
}

/** A step while it handles a record. @public */
export interface RecordStep<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends ProcessStep<K, S, T, P, Out> {
  /** Counts the record as dropped, and logs why. */
  readonly drop: (reason: string) => void;
  /**
   * Counts the record as late: once for each window that it missed, or once if there are no windows.
   *
   * @param partial - Whether other windows, still open, accepted it.
   */
  readonly late: (missed?: readonly Window[], partial?: boolean) => void;
}

/** A step in an {@link Interval}: there is no current key. @public */
export interface IntervalStep<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends StepParts<K, S, T> {
  readonly outputs: { readonly [N in keyof P]: (value: OutputValue<P[N]>, options: KeyedEmitOptions<K>) => void };
  readonly emit: (value: Out, options: KeyedEmitOptions<K>) => void;
}

/** What a step has at any time. @public */
export interface StepParts<K, S extends StoreDeclarations, T extends TimerDeclarations> {
  /** Highest timestamp that has reached the step in this task, including the current record; −1 before the first. */
  readonly streamTime: number;
  /** Wall-clock time, in ms since the epoch. */
  readonly now: number;
  readonly stores: { readonly [N in keyof S]: StoreHandle<S[N], K> };
  readonly timers: { readonly [N in keyof T as T[N] extends TimerKind ? N : never]: KeyTimer<K> };
}

/** Functions to call when timers are due, by timer name. @public */
export type DueHandlers<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> = {
  readonly [N in keyof T]: T[N] extends TimerKind
    ? (timer: { readonly key: K; readonly time: number }, step: ProcessStep<K, S, T, P, Out>) => undefined | void
    : (timer: { readonly time: number }, step: IntervalStep<K, S, T, P, Out>) => undefined | void;
};

/** The part of the definition that all steps share. @public */
export interface StepDefinition<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> {
  /**
   * Unique among the store names of a pipeline. It identifies the step's stream time and timers: keep it when the
   * pipeline changes.
   */
  readonly name: string;
  /** Increase it when the meaning of the stored state changes (default: 1). State of another version is refused. */
  readonly version?: number;
  readonly stores?: S;
  readonly timers?: T;
  /** The type of the emitted values: `output<Alert>()` (default: that of the input values). */
  readonly emits?: Output<Out>;
  readonly outputs?: P;
  /** Where the other outputs go, by name: `{ late: (records) => records.pipe(to(lateOrders)) }`. */
  readonly into?: {
    readonly [N in keyof P]?: (records: Observable<StreamRecord<K, OutputValue<P[N]>>>) => Observable<unknown>;
  };
  /** What to do when timers are due. */
  readonly due?: DueHandlers<K, S, T, P, Out>;
}
