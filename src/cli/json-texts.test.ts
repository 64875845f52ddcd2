import { describe, expect, it } from 'vitest';
import { changedNumber, fieldTexts } from './json-texts.ts';

describe('the texts of fields', () => {
  it('stand as they were written', () => {
    const line = String.raw`{ "a" : 1.0 , "b\"":{"c":["}",{"d":"\\"}]},"e":"x\"y" ,"":[ ],"f":-1e400}`;
    expect([...fieldTexts(line)]).toEqual([
      ['a', '1.0'],
      ['b"', String.raw`{"c":["}",{"d":"\\"}]}`],
      ['e', String.raw`"x\"y"`],
      ['', '[ ]'],
      ['f', '-1e400'],
    ]);
  });

  it('are those of the last of several fields with a name', () => {
    expect([...fieldTexts('{"a":1,"a":true}\t')]).toEqual([['a', 'true']]);
    expect([...fieldTexts(' {} ')]).toEqual([]);
  });
});

describe('numbers that JSON.parse makes others of', () => {
  it.each([
    ['9007199254740993', '9007199254740993'],
    ['[1,-12345678901234567891]', '-12345678901234567891'],
    [`{"a":${'9'.repeat(400)}}`, '9'.repeat(400)],
    ['{"a":[true,-1e400]}', '-1e400'],
    ['1.5E-400', '1.5E-400'],
  ])('%s', (text, number) => {
    expect(changedNumber(text)).toBe(number);
  });

  it.each([
    '9007199254740992',
    '100000000000000000000',
    '"9007199254740993"',
    '0.12345678901234567',
    '1e300',
    '1e-300',
    '0e-400',
    '-0.0E1',
    '"1e400"',
    'false',
  ])('not %s', (text) => {
    expect(changedNumber(text)).toBeUndefined();
  });
});
