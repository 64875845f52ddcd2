import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSound, seal, sealedView, unsealedCopy } from './sealed.ts';

describe('values with a checksum', () => {
  it('are the same as a copy and as a view, and are sound', () => {
    const bytes = fc.uint8Array({ maxLength: 6000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), bytes), { maxLength: 5 }), (entries) => {
        for (const [key, value] of entries) {
          const view = sealedView(key, value);
          expect(isSound(key, view)).toBe(true);
          expect(Uint8Array.from(view)).toEqual(seal(key, value));
        }
      }),
    );
  });

  it('are copied out of a buffer that is used again, whose length is only said to be that of the value', () => {
    const shared = Buffer.alloc(8192, 255);
    const sealedIn = (sealed: Uint8Array): Uint8Array => {
      shared.fill(255);
      shared.set(sealed);
      return Object.defineProperty(shared, 'length', { value: sealed.length, configurable: true });
    };
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 6000 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (key, value, at, flipped) => {
          const sealed = seal(key, value);
          const copy = unsealedCopy(key, sealedIn(sealed));
          shared.fill(0);
          expect(copy).toEqual(value);
          const damaged = sealed.slice();
          (damaged[at % damaged.length] as number) ^= flipped;
          expect(unsealedCopy(key, sealedIn(damaged))).toBeUndefined();
          expect(unsealedCopy(key, sealedIn(sealed.subarray(0, at % 4)))).toBeUndefined();
        },
      ),
    );
  });
});
