import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSound, seal, sealedView } from './sealed.ts';

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
});
