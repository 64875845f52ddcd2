/**
 * Epochs identify the generations of a group and order them where an order is known: 32 bits, never 0.
 *
 * The high half is the life of the group, a random number; the low half counts generations within that life. A life
 * continues from one generation to the next as long as one of the members was in an earlier one. If all members are
 * new, a new life begins: the count of a deleted group restarts, so numbers of two lives have no order.
 */
const COUNT_BITS = 16;
const COUNTS = 2 ** COUNT_BITS;

const lifeOf = (epoch: number): number => Math.floor(epoch / COUNTS);

/** Whether two generations belong to the same life. */
export function inOneLife(one: number, other: number): boolean {
  return lifeOf(one) === lifeOf(other);
}

/** Whether a generation came before another one; false if that is unknown. The count may have wrapped around. */
export function isEarlier(one: number, other: number): boolean {
  const steps = (other - one) & (COUNTS - 1);
  return inOneLife(one, other) && steps > 0 && steps < COUNTS / 2;
}

/** How many generations an epoch is before the group's generation with that count, if both belong to the same life. */
export function generationsBefore(epoch: number, generation: number): number {
  return (generation - epoch) & (COUNTS - 1);
}

/** The first epoch of a new life. */
export function firstEpoch(generation: number, random: () => number): number {
  return (1 + Math.floor(random() * (COUNTS - 1))) * COUNTS + (generation % COUNTS);
}

/**
 * The epoch of a generation.
 *
 * @param known - The epochs of the last generations of its members.
 */
export function nextEpoch(generation: number, known: readonly number[], random: () => number): number {
  const within = (epoch: number): number => lifeOf(epoch) * COUNTS + (generation % COUNTS);
  const of = (epoch: number): number => known.filter((other) => other === epoch).length;
  // A group that was deleted in the meantime counts from 1 again: the life known to a member that was suspended during
  // that is over.
  const over = new Set(known.filter((epoch) => !isEarlier(epoch, within(epoch))).map(lifeOf));
  const [last] = known
    .filter((epoch) => lifeOf(epoch) > 0 && !over.has(lifeOf(epoch)))
    .sort(
      (left, right) =>
        generationsBefore(left, generation) - generationsBefore(right, generation) || of(right) - of(left),
    );
  return last === undefined ? firstEpoch(generation, random) : within(last);
}
