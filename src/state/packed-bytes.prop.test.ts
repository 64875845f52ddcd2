import { array, assert, constantFrom, nat, oneof, property, tuple, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { PackedBytes } from './packed-bytes.ts';
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
/** Short ones, and rarely such that a chunk holds few or one of them. */
const values = tuple(
  oneof({ weight: 40, arbitrary: constantFrom(0, 1, 7, 8, 64, 65, 300) }, constantFrom(5_000, 40_000, 70_000)),
  nat(255),
).map(([length, byte]) => new Uint8Array(length).fill(byte));
const keys = tuple(begins, uint8Array({ max: 3, maxLength: 9 })).map(([begin, end]) => Uint8Array.of(...begin, ...end));
const operations = array(
  oneof(
    { weight: 3, arbitrary: tuple(constantFrom('set'), keys, values) },
    tuple(constantFrom('delete'), keys, values),
  ),
  {
    maxLength: 900,
    size: 'max',
  },
);

/** Comparing arrays by element would take most of the time. */
const same = (left: Uint8Array | undefined, right: Uint8Array | undefined): boolean =>
  left === undefined || right === undefined ? left === right : Buffer.compare(left, right) === 0;
const textsOf = (rows: Iterable<readonly [Uint8Array, Uint8Array]>): string[] =>
  Array.from(rows, (row) => row.map((bytes) => Buffer.from(bytes).toString('hex')).join(' '));

/** The caller goes on using its arrays. */
function setAndSpoil(map: PackedBytes, key: Uint8Array, value: Uint8Array): void {
  const [ownKey, ownValue] = [key.slice(), value.slice()];
  map.set(ownKey, ownValue);
  ownKey.fill(99);
  ownValue.fill(99);
}

it('is a map in the order of its keys, and owns what it holds', () => {
  assert(
    property(operations, keys, keys, (steps, from, to) => {
      const map = new PackedBytes();
      const model = new Map<string, readonly [Uint8Array, Uint8Array]>();
      for (const [what, key, value] of steps) {
        const name = Buffer.from(key).toString('hex');
        if (what === 'set') setAndSpoil(map, key, value);
        else expect(map.delete(key)).toBe(model.has(name));
        if (what === 'set') model.set(name, [model.get(name)?.[0] ?? key, value]);
        else model.delete(name);
        expect(same(map.get(Uint8Array.from(key)), model.get(name)?.[1])).toBe(true);
      }
      const inOrder = [...model.values()].sort(([left], [right]) => compareBytes(left, right));
      expect(map.size).toBe(model.size);
      expect(textsOf(map.range())).toEqual(textsOf(inOrder));
      expect([...map.keys()]).toEqual(inOrder.map(([key]) => key));
      expect(textsOf(map.range(from, to))).toEqual(
        textsOf(inOrder.filter(([key]) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0)),
      );
      for (const [key, value] of inOrder) expect(same(map.get(key), value)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

it('goes on in order while entries come and go, also where they share a chunk with the place', () => {
  assert(
    property(
      array(keys, { maxLength: 200, size: 'max' }),
      array(tuple(keys, values), { maxLength: 200, size: 'max' }),
      (before, during) => {
        const map = new PackedBytes();
        for (const key of before) map.set(key, key);
        const left = during.values();
        const seen: Uint8Array[] = [];
        for (const [key] of map.range()) {
          seen.push(key.slice());
          const { done, value: change } = left.next();
          if (done === true) continue;
          if (change[1].length === 0) map.delete(change[0]);
          else map.set(change[0], change[1]);
          // What was delivered belongs to the reader.
          key.fill(0);
        }
        for (const [at, key] of seen.entries()) if (at > 0) expect(compareBytes(seen[at - 1]!, key)).toBeLessThan(0);
        const changed = new Set(during.map(([key]) => Buffer.from(key).toString('hex')));
        const seenNames = new Set(seen.map((key) => Buffer.from(key).toString('hex')));
        for (const key of before) {
          const name = Buffer.from(key).toString('hex');
          if (!changed.has(name)) expect(seenNames).toContain(name);
        }
      },
    ),
    { numRuns: 150 },
  );
});
