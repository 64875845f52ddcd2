/**
 * Checks the state that a user's function returned. A function that forgets its `return` would silently delete every
 * row it should change: only null deletes.
 *
 * @throws TypeError if there was a state and the function returned `undefined` (the record fails).
 */
export function returned<A>(after: A, before: unknown, who: string): A {
  if (after !== undefined || before === undefined) return after;
  throw new TypeError(`${who} returned nothing: return the new state, or null to delete the row`);
}
