/**
 * What a step needs from the records that reach it and what it guarantees for those that it emits. Planning uses
 * nothing else to decide where a shuffle is missing, where windows close, and which topics are in time order.
 */
export interface Traits {
  /** It changes the key: records may no longer be in the partition of their key. */
  readonly changesKey?: boolean | undefined;
  /** It needs records in the partition of their key. */
  readonly needsKey?: boolean | undefined;
  /** It emits rows of windows; how far stream time must pass the end of a window for it to close, in ms. */
  readonly closesAfterMs?: number | undefined;
  /** It needs rows of windows that close. */
  readonly needsWindow?: boolean | undefined;
  /** Its records are not older than those they derive from, apart from rows announced by `holds` of its instance. */
  readonly keepsTime?: boolean | undefined;
  /** Records older than stream time can be late for it. */
  readonly mayBeLate?: boolean | undefined;
  /** Its rows may wait for stream time. They are then emitted out of order, after newer records. */
  readonly waits?: boolean | undefined;
  /** It works on several records at once and emits each when it is done, possibly after newer ones. */
  readonly reorders?: boolean | undefined;
}

/** Extracts the traits of a step from an object with more fields. */
export function traitsOf(step: Traits): Traits {
  const { changesKey, closesAfterMs, keepsTime, mayBeLate, needsKey, needsWindow, reorders, waits } = step;
  return { changesKey, closesAfterMs, keepsTime, mayBeLate, needsKey, needsWindow, reorders, waits };
}
