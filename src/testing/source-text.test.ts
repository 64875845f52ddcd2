import { runInThisContext } from 'node:vm';
import { expect, it } from 'vitest';
import { sourceText, variableName } from './source-text.ts';

it('names variables so that what is printed can be pasted', () => {
  expect(['orders', 'clicks-by-user.v1', '2026-orders', '_', 'in', 'delete', 'driver', 'In'].map(variableName)).toEqual(
    ['orders', 'clicksByUserV1', 'topic2026Orders', 'topic', 'inTopic', 'deleteTopic', 'driverTopic', 'In'],
  );
});

it('writes values so that what is printed makes them again, and differ where values differ', () => {
  const values = [
    new Map<unknown, unknown>([['a', { n: 1 }]]),
    new Map(),
    new Set([1n, -0]),
    new Set(),
    Float64Array.of(0.5, -0),
    BigInt64Array.of(1n),
    JSON.parse('{"__proto__":{"a":1},"1":2}'),
    /a\/b/gi,
    new URL('https://a.example/b'),
    `it's \\"\n`,
    [undefined, Number.NaN, Number.NEGATIVE_INFINITY],
    new Date(Number.NaN),
  ];
  for (const value of values) {
    const text = sourceText(value);
    expect(runInThisContext(`(${text})`), text).toEqual(value);
  }
  expect(sourceText(values[6])).toBe(`{ 1: 2, ['__proto__']: { a: 1 } }`.replace('1:', `'1':`));
  expect(sourceText({ b: [{ d: 1, c: 2 }], a: 1 }, 'by name')).toBe('{ a: 1, b: [{ c: 2, d: 1 }] }');
});
