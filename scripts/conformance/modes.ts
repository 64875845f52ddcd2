import type { TestDriverOptions } from 'millrace/testing';

/** A way to run a case that must not change what comes out. */
export interface Mode {
  readonly name: string;
  readonly options: TestDriverOptions;
  /** Restart from the commit after these steps (counted from 1): after every one, at each single one in a run of its own. */
  readonly restart?: 'every' | 'single';
  /** Pipe up to so many records of one topic at once, with one commit: rows are then compared as one list. */
  readonly batch?: number;
}

type Stores = NonNullable<TestDriverOptions['stores']>;

/** Longer cases are not restarted at each single point, which takes as many runs as they have steps. */
const SINGLE_RESTARTS = 32;

export const singleRestarts = (steps: number): number => (steps <= SINGLE_RESTARTS ? Math.max(0, steps - 1) : 0);

/** The first mode is the plain one. @param disk - Stores that live in a file. */
export function modes(disk: Stores): readonly Mode[] {
  return [
    { name: 'plain', options: {} },
    { name: 'batches', options: {}, batch: 7 },
    { name: 'restart', options: {}, restart: 'every' },
    { name: 'one restart', options: {}, restart: 'single' },
    { name: 'no cache', options: { cacheEntries: 0 } },
    { name: 'lmdb', options: { stores: disk } },
    { name: 'lmdb, no cache, restart', options: { stores: disk, cacheEntries: 0 }, restart: 'every' },
  ];
}
