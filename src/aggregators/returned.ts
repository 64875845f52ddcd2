/**
 * The state that a function of a user made of the one before. A function that forgets its `return` would delete every row that
 * it is to change, and nobody would be told: null is how to delete.
 *
 * @throws TypeError where there was a state and there is `undefined` now, so that the record fails.
 */
export function returned<A>(after: A, before: unknown, who: string): A {
  if (after !== undefined || before === undefined) return after;
  throw new TypeError(`${who} returned nothing: return the new state, or null to delete the row`);
}
