import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortByBytes } from './sort-by-bytes.ts';
import { compareBytes } from './sorted-keys.ts';

const key = fc.uint8Array({ maxLength: 7 });
/** Few different bytes, so that prefixes are long and ties are many. */
const alike = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 8 }).map((bytes) => Uint8Array.from(bytes));
const keys = fc.oneof(
  fc.array(key, { maxLength: 200 }),
  fc.array(alike, { maxLength: 200 }),
  fc.array(alike, { minLength: 40, maxLength: 200 }),
  fc
    .tuple(key, fc.array(key, { minLength: 40, maxLength: 200 }))
    .map(([prefix, all]) => all.map((each) => Uint8Array.from([...prefix, ...each]))),
);

describe('sorting by key bytes', () => {
  it('gives the order of comparing all bytes', () => {
    fc.assert(
      fc.property(keys, (all) => {
        const items = all.map((keyBytes) => ({ keyBytes }));
        const expected = all.toSorted(compareBytes);
        expect(sortByBytes(items).map(({ keyBytes }) => keyBytes)).toEqual(expected);
      }),
    );
  });
});
