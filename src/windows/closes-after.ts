import type { Windower } from './windower.ts';

/**
 * How far stream time must pass the end of a window for it to close, in ms; `Infinity` for a window that never closes.
 */
export function closesAfterMs(windower: Windower): number {
  const { kind } = windower;
  // Count windows do not close by time.
  if (kind === 'unlimited' || kind === 'count') return Number.POSITIVE_INFINITY;
  const { graceMs } = windower;
  // These include both ends, and are still open when stream time is exactly at the end of their grace.
  if (kind === 'session') return windower.gapMs + graceMs + 1;
  if (kind === 'sliding') return graceMs + 1;
  return graceMs;
}
