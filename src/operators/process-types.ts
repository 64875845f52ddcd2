import type { Observable } from 'rxjs';
import type { Duration } from '../options/duration.ts';
import type { Headers, StreamRecord, Window } from '../record.ts';
import type { TimerKind } from '../state/timer-store.ts';
import type { KeyValue, KeyValueDeclaration, RecordKey, StoreDeclaration } from './key-value.ts';
import type { Output } from './output.ts';

/** What reaches a {@link process} step: records that lie where their keys belong. @public */
export type ProcessInput = StreamRecord<unknown, unknown>;

/** The keys of records; those without one are dropped and counted before a step sees them. @public */
export type KeyOf<R extends ProcessInput> = NonNullable<R['key']>;

/** A record that has a key. @public */
export type Keyed<R extends ProcessInput> = R & { readonly key: KeyOf<R> };

/** The stores of a step, by the names that it calls them. @public */
export type StoreDeclarations = Readonly<Record<string, StoreDeclaration>>;

/**
 * Something that happens again and again, once for a task, whatever keys it has.
 *
 * On `stream-time` at multiples of the interval, as soon as there is data; on the `wall-clock` an interval after the start.
 * When several intervals pass at once there is one call.
 *
 * @public
 */
export interface Interval {
  readonly every: Duration;
  readonly of: TimerKind;
}

/**
 * The timers of a step, by name: `'stream-time'` and `'wall-clock'` are set for keys, an {@link Interval} is set by itself.
 *
 * @public
 */
export type TimerDeclarations = Readonly<Record<string, TimerKind | Interval>>;

/** The outputs of a step beside its main one, by name. @public */
export type OutputDeclarations = Readonly<Record<string, Output<unknown>>>;

/** The type of the values of an output. @public */
export type OutputValue<O> = O extends Output<infer T> ? T : never;

/** A store as its step uses it. @public */
export type StoreHandle<D, K> =
  D extends KeyValueDeclaration<infer L, infer V>
    ? KeyValue<L extends RecordKey ? K : NonNullable<L>, NonNullable<V>>
    : never;

/**
 * Sets a timer. Those of a key are kept with the state and survive restarts. Times are milliseconds since the epoch.
 *
 * A time that has been reached fires soon: on stream time after the function that set it, or with the next record.
 *
 * @public
 */
export interface KeyTimer<K> {
  /** Sets the timer of the key, instead of those that were set before. @param key - Left out: the one at hand. */
  set(time: number, key?: K): void;
  /** One more time for the key; a time that is set already stays one. */
  add(time: number, key?: K): void;
  /** Takes back what was set for the key. */
  cancel(key?: K): void;
}

/** How a value goes out where that is not left to its cause. @public */
export interface EmitOptions {
  /** Event time in ms since the epoch; that of the record, or of the timer. */
  readonly timestamp?: number;
  /** Those of the record; none when a timer fires. */
  readonly headers?: Headers;
}

/** As {@link EmitOptions}, where there is no key at hand. @public */
export interface KeyedEmitOptions<K> extends EmitOptions {
  /** One of the keys of the task, such as that of an entry in a store: its row goes where that key belongs. */
  readonly key: K;
}

/**
 * What a step may use while one of its functions runs. What it does takes effect when the function returns: after a throw
 * neither state nor output of the call is left.
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
  /** Of the record, or of the timer. */
  readonly key: K;
  readonly outputs: { readonly [N in keyof P]: (value: OutputValue<P[N]>, options?: EmitOptions) => void };
  /** Emits a value under the key at hand. */
  readonly emit: (value: Out, options?: EmitOptions) => void;
}

/** A step while it has a record at hand. @public */
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
   * Counts the record as late: once for each window that it missed, once where there are no windows.
   *
   * @param partial - Whether other, still open windows took it.
   */
  readonly late: (missed?: readonly Window[], partial?: boolean) => void;
}

/** A step in an {@link Interval}: there is no key at hand. @public */
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
  /** Highest timestamp that has reached the step in this task, the record at hand included; −1 before the first. */
  readonly streamTime: number;
  /** The clock on the wall, in ms since the epoch. */
  readonly now: number;
  readonly stores: { readonly [N in keyof S]: StoreHandle<S[N], K> };
  readonly timers: { readonly [N in keyof T as T[N] extends TimerKind ? N : never]: KeyTimer<K> };
}

/** What a step does when timers are due, by their names. @public */
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

/** What all steps say of themselves. @public */
export interface StepDefinition<
  K,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> {
  /** Unique in a pipeline among names of stores. Stream time and timers are found by it: keep it. */
  readonly name: string;
  /** Raised when what is kept means something else than before (1): state of another version is refused. */
  readonly version?: number;
  readonly stores?: S;
  readonly timers?: T;
  /** The type of what is emitted: `output<Alert>()`. Left out: values as they came. */
  readonly emits?: Output<Out>;
  readonly outputs?: P;
  /** Where the other outputs go, by name: `{ late: (records) => records.pipe(to(lateOrders)) }`. */
  readonly into?: {
    readonly [N in keyof P]?: (records: Observable<StreamRecord<K, OutputValue<P[N]>>>) => Observable<unknown>;
  };
  /** What happens when timers are due. */
  readonly due?: DueHandlers<K, S, T, P, Out>;
}
