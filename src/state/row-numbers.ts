import type { TimedStore } from './timed-store.ts';

/**
 * Rows of one key and time are distinguished by a number: a count, and two bits for the sides that a row belongs to, if
 * one store keeps both. The bits are 0 in the store of a single side.
 */
export const SIDES = { left: 1, right: 2 } as const;
const BITS = 4;

/**
 * A number without bits that no row of this key and time has. Counts have no gaps, because these rows are removed
 * together.
 *
 * @param bits - All bits that rows of the store may have.
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
