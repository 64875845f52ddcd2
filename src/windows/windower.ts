import type { Window } from '../record.ts';

/**
 * Which windows a timestamp falls in and when a window closes. Pure: no clock, no state.
 *
 * @public
 */
export interface Windower {
  readonly kind: 'tumbling' | 'hopping';
  /** Length of a window in ms. */
  readonly sizeMs: number;
  /** Distance between window starts in ms; equal to the size for tumbling windows. */
  readonly advanceMs: number;
  /** How long a window stays open after its end, in ms of stream time. */
  readonly graceMs: number;
  /** What must not change while windows are stored: `tumbling(1m)`. Grace may change. */
  readonly fingerprint: string;
}

/**
 * Start of the first window that holds `timestamp`; the others follow at distances of `advanceMs` while they start at or
 * before it. No window starts before 0.
 */
export function firstStart(windower: Windower, timestamp: number): number {
  const { sizeMs, advanceMs } = windower;
  const earliest = Math.max(0, timestamp - sizeMs + advanceMs);
  return earliest - (earliest % advanceMs);
}

/** Stream time at which the window that starts at `start` closes: its end plus the grace period. */
export function closeTime(windower: Windower, start: number): number {
  return start + windower.sizeMs + windower.graceMs;
}

export function windowAt(windower: Windower, start: number): Window {
  return { start, end: start + windower.sizeMs };
}
