import { array, assert, constantFrom, nat, oneof, property, tuple, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { OrderedBytes } from './ordered-bytes.ts';
import { compareBytes } from './sorted-keys.ts';

/** Keys that begin alike for no, some or many bytes, are prefixes of each other, or end with zeros. */
const begins = constantFrom(
  [],
  [1],
  [1, 2, 3, 4, 5, 6, 7],
  [1, 2, 3, 4, 5, 6, 8],
  [0, 0, 0],
  [255, 255, 255, 255, 255, 255, 255, 255],
);
const keys = tuple(begins, uint8Array({ max: 3, maxLength: 9 })).map(([begin, end]) => Uint8Array.of(...begin, ...end));
const operations = array(
  oneof({ weight: 3, arbitrary: tuple(constantFrom('set'), keys, nat()) }, tuple(constantFrom('delete'), keys, nat())),
  {
    maxLength: 900,
    size: 'max',
  },
);

it('is a map in the order of its keys', () => {
  assert(
    property(operations, keys, keys, (steps, from, to) => {
      const map = new OrderedBytes<number>();
      const model = new Map<string, readonly [Uint8Array, number]>();
      for (const [what, key, value] of steps) {
        const name = Buffer.from(key).toString('hex');
        if (what === 'set') map.set(key, value);
        else expect(map.delete(key)).toBe(model.has(name));
        if (what === 'set') model.set(name, [model.get(name)?.[0] ?? key, value]);
        else model.delete(name);
        expect(map.get(Uint8Array.from(key))).toBe(model.get(name)?.[1]);
      }
      const inOrder = [...model.values()].sort(([left], [right]) => compareBytes(left, right));
      expect(map.size).toBe(model.size);
      expect([...map.range()]).toEqual(inOrder);
      expect([...map.range(from, to)]).toEqual(
        inOrder.filter(([key]) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0),
      );
      for (const [key, value] of inOrder) expect(map.get(key)).toBe(value);
    }),
    { numRuns: 150 },
  );
});
