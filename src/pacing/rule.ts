import type { HeldRecord } from '../state/held-record.ts';
import type { Spells } from './spell.ts';

/** What becomes of a record. */
export interface Verdict {
  /** The spells of its key from now on; the same object where nothing changes. */
  readonly spells: Spells;
  /** `passes`: goes on at once. `held`: is kept, or left out. `late`: came too late, and changes nothing. */
  readonly record: 'passes' | 'held' | 'late';
  /** A row that is complete with it. */
  readonly row?: HeldRecord;
}

/** What a step does with the records of a key: pure, so that it can be tested by itself. */
export interface Rule {
  /** A spell is closed when stream time is so far beyond its end, in ms. */
  readonly closesAfterMs: number;
  /** @param streamTime - This record included; spells that have closed by it are gone. */
  take(spells: Spells, record: HeldRecord, streamTime: number): Verdict;
}
