import type { Aggregator } from '../../aggregators/aggregator.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import { makeRecord, NO_HEADERS, type StreamRecord, type Window } from '../../record.ts';
import type { TestRecord } from '../test-driver.ts';

/** A row that a model predicts, with `window` if it is the row of a window. @public */
export interface ModelOutput<K, R> {
  readonly key: K | null;
  readonly value: R | null;
  readonly timestamp: number;
  readonly window?: Window;
}

/** The outcome that a model predicts for an input. @public */
export interface ModelOutcome<K, R> {
  /** The rows of each input record, in the order of the input. */
  readonly steps: readonly (readonly ModelOutput<K, R>[])[];
  /** The rows emitted at the end, when open windows close. */
  readonly closing: readonly ModelOutput<K, R>[];
  /** All rows: those of the steps, then those of the end. */
  readonly rows: readonly ModelOutput<K, R>[];
  /** The contents of the store at the end, before open windows close. */
  readonly open: readonly ModelOutput<K, R>[];
  /** Records that are dropped: without a key or a value. */
  readonly dropped: number;
  /** How often a record came too late for a window. */
  readonly late: number;
}

/** The parts of an aggregator that a model needs; the aggregators of `agg` have them. @public */
export type ModelFold<V, A, R> = Pick<Aggregator<V, A, R, null>, 'init' | 'add' | 'merge' | 'result'>;

/** A record with a key, a value and a time. */
export interface Arrival<K, V> {
  readonly key: NonNullable<K>;
  readonly value: NonNullable<V>;
  readonly timestamp: number;
}

/** A record as models see it; `undefined` for one without a key or a value. */
export function arrivalOf<K, V>({ key, timestamp = 0, value }: TestRecord<K, V>): Arrival<K, V> | undefined {
  if (key === null || key === undefined || value === null) return undefined;
  return { key, value: value as NonNullable<V>, timestamp };
}

export function outcomeOf<K, R>(
  outcome: Pick<ModelOutcome<K, R>, 'steps'> & Partial<ModelOutcome<K, R>>,
): ModelOutcome<K, R> {
  const { closing = [], dropped = 0, late = 0, open = [], steps } = outcome;
  return { steps, closing, rows: [...steps.flat(), ...closing], open, dropped, late };
}

/** The fold of all records, starting from the first; `undefined` if the last record deleted the state. */
export function folded<K, V, A, R>(
  fold: ModelFold<V, A, R>,
  arrivals: readonly Arrival<K, V>[],
): { readonly value: R | null; readonly timestamp: number } {
  let state: { readonly is: A } | undefined;
  let highest = -1;
  let last: { readonly value: R | null; readonly timestamp: number } = { value: null, timestamp: -1 };
  for (const arrival of arrivals) {
    highest = Math.max(highest, arrival.timestamp);
    const next = fold.add(state === undefined ? fold.init() : state.is, arrival.value, recordOf(arrival));
    state = next === null || next === undefined ? undefined : { is: next };
    last = { value: state === undefined ? null : fold.result(state.is), timestamp: highest };
    if (state === undefined) highest = -1;
  }
  return last;
}

/** An arrival as the record that aggregators get. */
export function recordOf<K, V>({ key, timestamp, value }: Arrival<K, V>): StreamRecord<unknown, V> {
  return makeRecord<unknown, V>(key, value, timestamp, NO_HEADERS, 'model', 0, 0);
}

const encoder = new TextEncoder();

/** Compares rows of the same moment by their key bytes. Keys other than strings keep their order. */
export function byKey(left: { readonly key: unknown }, right: { readonly key: unknown }): number {
  if (typeof left.key !== 'string' || typeof right.key !== 'string') return 0;
  const [one, other] = [encoder.encode(left.key), encoder.encode(right.key)];
  for (let at = 0; at < Math.min(one.length, other.length); at += 1) {
    const difference = (one[at] as number) - (other[at] as number);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

/** Whether two keys are equal. */
export function sameKey(left: unknown, right: unknown): boolean {
  return left === right || nameOf(left) === nameOf(right);
}

/** A text that identifies a key. */
export function nameOf(key: unknown): string {
  if (key instanceof Uint8Array) return `bytes ${key.join()}`;
  return typeof key === 'bigint' ? `bigint ${key}` : `${typeof key} ${JSON.stringify(key)}`;
}

/** Bounds and grace of a join, in ms. */
export function signedMs(duration: Duration, name: string): number {
  return duration.startsWith('-') ? -durationMs(duration.slice(1) as Duration, name) : durationMs(duration, name);
}
