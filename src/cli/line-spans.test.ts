import { expect, it } from 'vitest';
import { inWords, spansOf, spansWithout } from './line-spans.ts';

it('tells lines by spans', () => {
  expect(spansWithout(10, [1, 4, 5, 10])).toEqual([
    [2, 3],
    [6, 9],
  ]);
  expect(spansWithout(3, [])).toEqual([[1, 3]]);
  expect(spansWithout(0, [])).toEqual([]);
  expect(spansOf([1, 2, 4, 7, 8])).toEqual([
    [1, 2],
    [4, 4],
    [7, 8],
  ]);
  expect(inWords([[1, 1]])).toBe('line 1');
  expect(inWords([[1, 3]])).toBe('lines 1 to 3');
  expect(inWords(spansOf([1, 3, 4]))).toBe('lines 1, 3 to 4');
  expect(inWords(spansOf(Array.from({ length: 11 }, (_, i) => 2 * i)))).toMatch(/18, …$/);
});
