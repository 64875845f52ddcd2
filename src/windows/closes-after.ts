import type { Windower } from './windower.ts';

/** How far beyond the end of a window stream time is when the window has closed, in ms; `Infinity` for one that never does. */
export function closesAfterMs(windower: Windower): number {
  const { kind } = windower;
  // Windows of so many records do not close by time.
  if (kind === 'unlimited' || kind === 'count') return Number.POSITIVE_INFINITY;
  const { graceMs } = windower;
  // These have both ends included, and are open as long as stream time is at the end of their grace.
  if (kind === 'session') return windower.gapMs + graceMs + 1;
  if (kind === 'sliding') return graceMs + 1;
  return graceMs;
}
