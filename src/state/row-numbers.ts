import type { TimedStore } from './timed-store.ts';

/**
 * Rows of one key and time are told apart by a number: a count, and two bits that say which sides a row is of where one store
 * keeps both. The bits are 0 in the store of one side.
 */
export const SIDES = { left: 1, right: 2 } as const;
const BITS = 4;

/**
 * A number that no row of this key and time has, without bits. Counts have no gaps, for these rows go together.
 *
 * @param bits - All that rows of the store may have.
 */
export function freeNumber<K, V>(
  rows: TimedStore<K, V>,
  key: NonNullable<K>,
  time: number,
  bits: readonly number[],
): number {
  const isTaken = (count: number): boolean =>
    bits.some((each) => rows.get(key, time, count * BITS + each) !== undefined);
  if (!isTaken(0)) return 0;
  let taken = 0;
  let free = 1;
  while (isTaken(free)) {
    taken = free;
    free *= 2;
  }
  while (free - taken > 1) {
    const middle = (taken + free) >>> 1;
    if (isTaken(middle)) taken = middle;
    else free = middle;
  }
  return free * BITS;
}
