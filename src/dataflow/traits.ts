/**
 * What a step needs of the records that reach it, and what it says of those that it emits. Planning goes by nothing else of a step:
 * where a shuffle is missing, where windows close, which topics are in the order of time.
 */
export interface Traits {
  /** The key is new from here on: records may not lie where their key belongs. */
  readonly changesKey?: boolean | undefined;
  /** Needs records that lie where their key belongs. */
  readonly needsKey?: boolean | undefined;
  /** Its rows are of windows, which have closed when stream time is so far beyond their end, in ms. */
  readonly closesAfterMs?: number | undefined;
  /** Needs rows of windows that close. */
  readonly needsWindow?: boolean | undefined;
  /** Its records are not older than those that they come from, but for what `holds` of its instance says. */
  readonly keepsTime?: boolean | undefined;
  /** Records that are older than stream time may be late for it. */
  readonly mayBeLate?: boolean | undefined;
  /** Rows may wait for stream time. They come in no order then, older than what has gone on before them. */
  readonly waits?: boolean | undefined;
}

/** The traits of a step as one object, of what says more of it. */
export function traitsOf(step: Traits): Traits {
  const { changesKey, closesAfterMs, keepsTime, mayBeLate, needsKey, needsWindow, waits } = step;
  return { changesKey, closesAfterMs, keepsTime, mayBeLate, needsKey, needsWindow, waits };
}
