import { expect, it } from 'vitest';
import { preview } from './preview.ts';

it('shows values of all kinds', () => {
  const value = { a: 1, 'b c': ['x', null, undefined, true], d: 5n, e: new Date(0), f: new Uint8Array([1, 255]) };
  expect(preview(value, 500)).toBe(
    '{a: 1, "b c": ["x", null, undefined, true], d: 5n, e: 1970-01-01T00:00:00.000Z, f: <2 bytes: 01 ff>}',
  );
  expect(preview(new Map([[{ k: 1 }, new Set([1])]]), 100)).toBe('Map{{k: 1}: Set[1]}');
  expect(preview(Number.NaN, 10)).toBe('NaN');
  expect(preview(new Date(Number.NaN), 20)).toBe('Invalid Date');
});

it('cuts what is long, deep or wide, and says so', () => {
  expect(preview('abcdefgh', 5)).toBe('"abcd…');
  expect(
    preview(
      Array.from({ length: 1000 }, (_, at) => at),
      12,
    ),
  ).toBe('[0, 1, 2, 3,…');
  let deep: unknown = 1;
  for (let at = 0; at < 100_000; at += 1) deep = [deep];
  expect(preview(deep, 50)).toBe('[[[[[[…]]]]]]');
  const loop: { self?: unknown } = {};
  loop.self = loop;
  expect(preview(loop, 200)).toContain('…');
});

it('reads only what it shows of a value of 100 MB', () => {
  const large = new Uint8Array(100_000_000);
  expect(preview(large, 200)).toMatch(/^<100000000 bytes: 00 00 .* …>$/);
  let read = 0;
  const watched = new Proxy<Record<string, unknown>>(
    {},
    {
      ownKeys: () => Array.from({ length: 10_000 }, (_, at) => `field${at}`),
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
      get: () => {
        read += 1;
        return 'x'.repeat(1000);
      },
    },
  );
  expect(preview(watched, 300).length).toBeLessThan(310);
  expect(read).toBeLessThan(5);
});

it('survives a field that throws', () => {
  const value = Object.defineProperty({}, 'bad', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  expect(preview(value, 100)).toBe('{bad: "cannot be read"}');
});
