import type { Window } from '../record.ts';

interface AnyWindower {
  /** How long a window stays open after its end, in ms of stream time. */
  readonly graceMs: number;
  /** Identifies what must not change while windows are stored, such as `tumbling(1m)`. Grace may change. */
  readonly fingerprint: string;
}

/** Windows of one size at regular distances, `[start, end)`. @public */
export interface PeriodicWindower extends AnyWindower {
  readonly kind: 'tumbling' | 'hopping';
  /** Length of a window in ms. */
  readonly sizeMs: number;
  /** Distance between window starts in ms; equal to the size for tumbling windows. */
  readonly advanceMs: number;
}

/** Windows whose bounds follow from the timestamp alone, `[start, end)`. @public */
export interface AlignedWindower extends AnyWindower {
  readonly kind: 'aligned';
  /** All windows that a timestamp is in, by start, then by end: none, one or several. */
  windowsOf(timestamp: number): readonly Window[];
}

/** A single window without an end, `[start, ∞)`, which never closes. @public */
export interface UnlimitedWindower extends AnyWindower {
  readonly kind: 'unlimited';
  readonly startMs: number;
}

/** Windows around the records of a key, with both ends inclusive. @public */
export interface SlidingWindower extends AnyWindower {
  readonly kind: 'sliding';
  /** The largest difference between two records of a window, in ms. */
  readonly differenceMs: number;
}

/** Windows from the first to the last record of a key without a long pause, with both ends inclusive. @public */
export interface SessionWindower extends AnyWindower {
  readonly kind: 'session';
  /** The longest pause between two records of a session, in ms. */
  readonly gapMs: number;
}

/** Windows of a fixed number of records per key. @public */
export interface CountWindower extends AnyWindower {
  readonly kind: 'count';
  /** Records per window. */
  readonly size: number;
  /** Records between the starts of two windows. */
  readonly advance: number;
}

/**
 * Which windows a timestamp falls in and when a window closes. Pure: no clock, no state.
 *
 * @public
 */
export type Windower =
  | PeriodicWindower
  | AlignedWindower
  | UnlimitedWindower
  | SlidingWindower
  | SessionWindower
  | CountWindower;

/**
 * Start of the first window that holds `timestamp`; the others follow at distances of `advanceMs` while they start at or
 * before it. No window starts before 0.
 */
export function firstStart(windower: PeriodicWindower, timestamp: number): number {
  const { sizeMs, advanceMs } = windower;
  const earliest = Math.max(0, timestamp - sizeMs + advanceMs);
  return earliest - (earliest % advanceMs);
}

/** Stream time at which the window that starts at `start` closes: its end plus the grace period. */
export function closeTime(windower: PeriodicWindower, start: number): number {
  return start + windower.sizeMs + windower.graceMs;
}

export function windowAt(windower: PeriodicWindower, start: number): Window {
  return { start, end: start + windower.sizeMs };
}
