import type { HeldRecord } from '../state/held-record.ts';
import type { Spells } from './spell.ts';

/** The decision about a record. */
export interface Verdict {
  /** The new spells of its key; the same object if nothing changes. */
  readonly spells: Spells;
  /** `passes`: emitted at once. `held`: kept or discarded. `late`: too late, changes nothing. */
  readonly record: 'passes' | 'held' | 'late';
  /** A row that this record completes. */
  readonly row?: HeldRecord;
}

/** What a pacing step does with the records of a key. Pure, so that it can be tested separately. */
export interface Rule {
  /** How far stream time must pass the end of a spell for it to close, in ms. */
  readonly closesAfterMs: number;
  /** @param streamTime - Including this record; spells that have closed by then are already removed. */
  take(spells: Spells, record: HeldRecord, streamTime: number): Verdict;
}
