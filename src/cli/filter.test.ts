import { expect, it } from 'vitest';
import { codecOf } from './codecs.ts';
import type { RawRecord } from './envelope.ts';
import { parseFilter } from './filter.ts';

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : new TextEncoder().encode(text));
const record = (key: string | null, value: string | null): RawRecord => ({
  topic: 't',
  partition: 0,
  offset: 0,
  timestamp: 0,
  headers: [],
  key: bytes(key),
  value: bytes(value),
});
const VALUE = '{"user":{"name":"ada","age":36},"items":[{"id":7}],"open":true,"none":null,"big":"9007199254740993"}';

it.each([
  ['.user.name == ada', true],
  ['.user.name == "ada"', true],
  ['.user.name != ada', false],
  ['.user.name < b', true],
  ['.user.age >= 36', true],
  ['.user.age > 36', false],
  ['.user.age < 100', true],
  ['.items[0].id == 7', true],
  ['.items[1].id == 7', false],
  ['.open == true', true],
  ['.user', true],
  ['.none', false],
  ['.none == null', true],
  ['.missing == null', true],
  ['.missing > 1', false],
  ['.missing != 3', true],
  ['.big == 9007199254740993', false],
  ['.big == "9007199254740993"', true],
  ['.user == {"name":"ada","age":36}', true],
  ['.constructor', false],
  ['.__proto__', false],
  ['key == k-1', true],
  ['key', true],
  ['. != null', true],
])('%s: %s', (condition, is) => {
  expect(parseFilter(condition, undefined, undefined)(record('k-1', VALUE))).toBe(is);
});

it('takes values as their serde has them, text as text, and what cannot be decoded as nothing', () => {
  expect(parseFilter('. == 5', undefined, undefined)(record(null, '5'))).toBe(true);
  expect(parseFilter('. == hello', undefined, undefined)(record(null, 'hello'))).toBe(true);
  expect(parseFilter('. == 5', undefined, codecOf('--value', 'string'))(record(null, '5'))).toBe(true);
  expect(parseFilter('.a == 1', undefined, codecOf('--value', 'json'))(record(null, 'x'))).toBe(false);
  expect(parseFilter('. == null', undefined, undefined)(record(null, null))).toBe(true);
  expect(parseFilter('key == null', undefined, undefined)(record(null, '1'))).toBe(true);
});

it.each(['', 'user == 1', '.a ==', '.a = 1', '.a.b(c)', 'process.exit()', '.a; .b'])('%j is refused', (condition) => {
  expect(() => parseFilter(condition, undefined, undefined)).toThrow('is not a condition');
});
