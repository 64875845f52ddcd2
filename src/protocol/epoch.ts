/**
 * Epochs tell the generations of a group apart, and say which of two came first where that can be known: 32 bits, never 0.
 *
 * The high half is the life of the group, a random number; the low half counts generations within it. A life goes on from one
 * generation to the next as long as one of the members has been in an earlier one. When all of them are new, another life
 * begins: the count of a group that was deleted starts again, so numbers of two lives have no order.
 */
const COUNT_BITS = 16;
const COUNTS = 2 ** COUNT_BITS;

const lifeOf = (epoch: number): number => Math.floor(epoch / COUNTS);

/** Whether two generations are of one life. */
export function inOneLife(one: number, other: number): boolean {
  return lifeOf(one) === lifeOf(other);
}

/** Whether a generation came before another one; false where nobody can know. The count may have passed its end. */
export function isEarlier(one: number, other: number): boolean {
  const steps = (other - one) & (COUNTS - 1);
  return inOneLife(one, other) && steps > 0 && steps < COUNTS / 2;
}

/** How many generations an epoch lies before one of the group with that count, if both are of one life. */
export function generationsBefore(epoch: number, generation: number): number {
  return (generation - epoch) & (COUNTS - 1);
}

/** An epoch of a life that nobody was in. */
export function firstEpoch(generation: number, random: () => number): number {
  return (1 + Math.floor(random() * (COUNTS - 1))) * COUNTS + (generation % COUNTS);
}

/**
 * The epoch of a generation.
 *
 * @param known - Those of the generations that its members were in last.
 */
export function nextEpoch(generation: number, known: readonly number[], random: () => number): number {
  const within = (epoch: number): number => lifeOf(epoch) * COUNTS + (generation % COUNTS);
  const of = (epoch: number): number => known.filter((other) => other === epoch).length;
  // A group that was deleted in between counts from 1 again: what was left by a member that slept through that is over.
  const over = new Set(known.filter((epoch) => !isEarlier(epoch, within(epoch))).map(lifeOf));
  const [last] = known
    .filter((epoch) => lifeOf(epoch) > 0 && !over.has(lifeOf(epoch)))
    .sort(
      (left, right) =>
        generationsBefore(left, generation) - generationsBefore(right, generation) || of(right) - of(left),
    );
  return last === undefined ? firstEpoch(generation, random) : within(last);
}
