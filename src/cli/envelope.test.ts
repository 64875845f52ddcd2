import { describe, expect, it } from 'vitest';
import { codecOf } from './codecs.ts';
import { envelope, parseEnvelope, type RawRecord } from './envelope.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const record = (key: Uint8Array | null, value: Uint8Array | null): RawRecord => ({
  topic: 't',
  partition: 1,
  offset: 2,
  timestamp: 3,
  headers: [['h', utf8('v')]],
  key,
  value,
});

describe('an envelope', () => {
  it('shows text as text, and says what is something else', () => {
    expect(JSON.parse(envelope(record(utf8('k'), Uint8Array.of(0xff)), undefined, undefined))).toEqual({
      topic: 't',
      partition: 1,
      offset: 2,
      timestamp: 3,
      headers: [['h', 'v']],
      key: 'k',
      value: '/w==',
      valueEncoding: 'base64',
    });
  });

  it('shows what serdes decode, and why they cannot', () => {
    const [int64, json] = [codecOf('--key', 'int64'), codecOf('--value', 'json')];
    const key = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0);
    const line = JSON.parse(envelope(record(key, utf8('{"n":1}')), int64, json)) as object;
    expect(line).toMatchObject({ key: '256', keyEncoding: 'decoded', value: { n: 1 }, valueEncoding: 'decoded' });
    const broken = JSON.parse(envelope(record(key, utf8('{')), int64, json)) as object;
    expect(broken).toMatchObject({ value: '{', valueError: expect.stringContaining('json cannot read') as string });
  });

  it('takes plain objects of other programs', () => {
    expect(parseEnvelope('{"value":"x"}', undefined, undefined)).toEqual({
      partition: undefined,
      timestamp: undefined,
      headers: [],
      key: null,
      value: utf8('x'),
    });
    expect(
      parseEnvelope('{"key":7,"value":{"n":1}}', codecOf('--key', 'int32'), codecOf('--value', 'json')),
    ).toMatchObject({
      key: Uint8Array.of(0, 0, 0, 7),
      value: utf8('{"n":1}'),
    });
  });

  it.each([
    ['nonsense', 'not JSON'],
    ['[]', 'not an object'],
    ['{"key":"a"}', 'no value'],
    ['{"value":1}', 'without --value it must be text'],
    ['{"value":"%","valueEncoding":"base64"}', 'not base64'],
    ['{"value":"a","valueEncoding":"gzip"}', 'the encoding "gzip"'],
    ['{"value":"a","partition":-1}', 'partition is -1'],
    ['{"value":"a","headers":{"a":"b"}}', 'array of [name, value]'],
    ['{"value":1,"valueEncoding":"decoded"}', 'give the --value'],
  ])('refuses %s', (line, message) => {
    expect(() => parseEnvelope(line, undefined, undefined)).toThrow(message);
  });
});
