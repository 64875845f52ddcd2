/** A value with its sort order: a number, then its event time. */
export type Ranked = readonly [rank: number, timestamp: number, value: unknown];

/** Whether a value is ordered before one that arrived earlier. */
export type Before = (one: Ranked, earlier: Ranked) => boolean;

/** An ordered list with one more value, placed after its equals, cut to the first `most` values. */
export function inserted(list: readonly Ranked[], one: Ranked, before: Before, most: number): readonly Ranked[] {
  let at = list.length;
  while (at > 0 && before(one, list[at - 1] as Ranked)) at -= 1;
  if (at === most) return list;
  const longer = [...list.slice(0, at), one, ...list.slice(at)];
  return longer.length > most ? longer.slice(0, most) : longer;
}

/** Merges two ordered lists; among equals, those of the left list come first. */
export function joined(
  left: readonly Ranked[],
  right: readonly Ranked[],
  before: Before,
  most: number,
): readonly Ranked[] {
  return right.reduce((list, one) => inserted(list, one, before, most), left);
}

/** Only the values. */
export function valuesOf(list: readonly Ranked[]): readonly unknown[] {
  return list.map(([, , value]) => value);
}
