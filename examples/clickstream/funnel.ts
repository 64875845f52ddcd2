/** The steps on the way to a sale. */
export const STEPS = ['/', '/search', '/product', '/cart', '/checkout'] as const;

/** How many of the steps a visit reached in order; other pages in between do not matter. */
export function stepsTaken(trail: readonly string[]): number {
  let taken = 0;
  for (const url of trail) if (url === STEPS[taken]) taken += 1;
  return taken;
}
