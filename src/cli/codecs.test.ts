import { describe, expect, it } from 'vitest';
import { codecOf } from './codecs.ts';

const parse = (serde: string, text: string): string =>
  Buffer.from(codecOf('--value', serde)!.parse(text)).toString('hex');

describe('what is written as text', () => {
  it.each([
    ['int32', '-7', 'fffffff9'],
    ['int32', ' +7 ', '00000007'],
    ['int64', '9007199254740993', '0020000000000001'],
    ['int64', '-1', 'ffffffffffffffff'],
    ['float64', '-.5e1', 'c014000000000000'],
    ['float64', '-0', '8000000000000000'],
    ['float64', 'NaN', '7ff8000000000000'],
    ['float64', '-Infinity', 'fff0000000000000'],
    ['json', '{"a": 12345678901234567890}', Buffer.from('{"a": 12345678901234567890}').toString('hex')],
    ['msgpack', '[1,"9007199254740993"]', '9201b039303037313939323534373430393933'],
    ['base64', 'AP8=', '00ff'],
    ['base64', 'AP8', '00ff'],
    ['base64', '', ''],
    ['string', 'ä', 'c3a4'],
  ])('%s %j', (serde, text, hex) => {
    expect(parse(serde, text)).toBe(hex);
  });

  it.each([
    ['int32', '', 'is not a number'],
    ['int32', ' ', 'is not a number'],
    ['int32', '0x10', 'is not a number'],
    ['int32', '1e3', 'is not a number'],
    ['int32', '1.5', 'is not a number'],
    ['int32', '2147483648', 'int32 cannot write 2147483648'],
    ['float64', '', 'is not a number'],
    ['float64', '0x10', 'is not a number'],
    ['float64', '1,5', 'is not a number'],
    ['float64', '-NaN', 'is not a number'],
    ['float64', '1e400', '1e400 is a number that a double cannot hold'],
    ['float64', '+1e-400', 'a double cannot hold'],
    ['float64', '9007199254740993', 'a double cannot hold'],
    ['float64', '9007199254740993.0', 'a double cannot hold'],
    ['float64', '-9007199254740990.6', 'a double cannot hold'],
    ['msgpack', '{"a":-1e400}', '-1e400 is a number that a double cannot hold'],
    ['int64', '', 'is not a whole number'],
    ['int64', '0x10', 'is not a whole number'],
    ['int64', '9223372036854775808', 'more than 64 bits'],
    ['json', '', 'not valid JSON'],
    ['json', '{"a":1} x', 'not valid JSON'],
    ['json', 'null', 'tombstone'],
    ['json', '{"__proto__":1}', '__proto__'],
    ['msgpack', '{"id":9007199254740993}', 'write it as text'],
    ['msgpack', '', 'not JSON'],
    ['base64', 'AP8=x', 'is not base64'],
    ['base64', 'A', 'is not base64'],
    ['base64', 'AP9', 'is not base64'],
    ['base64', 'AP-_', 'is not base64'],
    ['base64', 'A P 8', 'is not base64'],
    ['base64', '%', 'is not base64'],
    ['uuid', 'x', 'not a UUID'],
  ])('%s refuses %j', (serde, text, message) => {
    expect(() => parse(serde, text)).toThrow(message);
  });

  it('says of a number in JSON that it is rounded', () => {
    expect(() => codecOf('--key', 'int64')!.read(9_007_199_254_740_991, '9007199254740990.6')).toThrow(
      '"9007199254740990.6" is not a whole number',
    );
    expect(() => codecOf('--key', 'int64')!.read(JSON.parse('9007199254740993'), '9007199254740993')).toThrow(
      'beyond 2^53 as text',
    );
    expect(() => codecOf('--key', 'base64')!.read(1, '1')).toThrow('is not base64');
  });
});
