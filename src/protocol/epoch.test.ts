import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOneLife, isEarlier, nextEpoch } from './epoch.ts';

const random = (): number => 0.5;
const life = (number: number, generation: number): number => number * 0x1_0000 + generation;

describe('the epoch of a generation', () => {
  it('goes on in the life that members have been in, and is never 0', () => {
    expect(nextEpoch(7, [life(3, 6), life(3, 4)], random)).toBe(life(3, 7));
    expect(nextEpoch(0, [], () => 0)).toBe(life(1, 0));
    expect(nextEpoch(9, [], () => 0.999999)).toBe(life(0xffff, 9));
    expect(nextEpoch(0x1_0000, [life(3, 0xffff)], random), 'the count has passed its end').toBe(life(3, 0));
    expect(isEarlier(life(3, 0xffff), life(3, 0))).toBe(true);
  });

  it('begins another life where the group counts from 1 again, or nobody was in one', () => {
    expect(inOneLife(nextEpoch(2, [life(3, 2)], random), life(3, 2))).toBe(false);
    expect(inOneLife(nextEpoch(1, [life(3, 20)], random), life(3, 1))).toBe(false);
    expect(inOneLife(nextEpoch(3, [2], random), life(0, 3)), 'of an earlier version').toBe(false);
  });

  it('is that of the life that was left last, then of most members', () => {
    expect(nextEpoch(8, [life(3, 4), life(4, 7), life(3, 4)], random)).toBe(life(4, 8));
    expect(nextEpoch(8, [life(3, 7), life(4, 7), life(4, 7)], random)).toBe(life(4, 8));
  });

  it('comes after all that members of its life know of', () => {
    const epochs = array(integer({ min: 0x1_0000, max: 0x5_ffff }), { maxLength: 5 });
    assert(
      property(integer({ min: 1, max: 100_000 }), epochs, (generation, known) => {
        const next = nextEpoch(generation, known, random);
        for (const epoch of known) {
          if (inOneLife(epoch, next)) expect(next !== epoch && !isEarlier(next, epoch)).toBe(true);
        }
      }),
    );
  });
});
