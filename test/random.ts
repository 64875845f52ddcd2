import { onTestFailed } from 'vitest';

const given = process.env['MILLRACE_SEED'];

/** Where all randomness of the tests comes from: `MILLRACE_SEED` repeats a run that failed. */
export const seed: number = given === undefined ? Math.floor(Math.random() * 0x7fff_ffff) : Number(given) | 0;

/** Numbers from 0 to 1 (excluded) from the seed. A test that fails says which seed it was. */
export function randomNumbers(): () => number {
  onTestFailed(() => console.error(`to see it again: MILLRACE_SEED=${seed}`));
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
