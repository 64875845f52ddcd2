/** A value with what it is ordered by: a number, then its event time. */
export type Ranked = readonly [rank: number, timestamp: number, value: unknown];

/** Whether one stands before another one that came earlier. */
export type Before = (one: Ranked, earlier: Ranked) => boolean;

/** A list in its order with one more value, which stands behind its equals; at most `most`, counted from the front. */
export function inserted(list: readonly Ranked[], one: Ranked, before: Before, most: number): readonly Ranked[] {
  let at = list.length;
  while (at > 0 && before(one, list[at - 1] as Ranked)) at -= 1;
  if (at === most) return list;
  const longer = [...list.slice(0, at), one, ...list.slice(at)];
  return longer.length > most ? longer.slice(0, most) : longer;
}

/** Two lists in their order as one; of equals those of the left one come first. */
export function joined(
  left: readonly Ranked[],
  right: readonly Ranked[],
  before: Before,
  most: number,
): readonly Ranked[] {
  return right.reduce((list, one) => inserted(list, one, before, most), left);
}

/** The values alone. */
export function valuesOf(list: readonly Ranked[]): readonly unknown[] {
  return list.map(([, , value]) => value);
}
