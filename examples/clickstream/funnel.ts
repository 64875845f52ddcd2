/** The way to a sale, step by step. */
export const STEPS = ['/', '/search', '/product', '/cart', '/checkout'] as const;

/** How many of the steps a visit took in their order; other pages between them do not matter. */
export function stepsTaken(trail: readonly string[]): number {
  let taken = 0;
  for (const url of trail) if (url === STEPS[taken]) taken += 1;
  return taken;
}
