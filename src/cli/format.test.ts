import { describe, expect, it } from 'vitest';
import { codecOf } from './codecs.ts';
import { parseFormat } from './format.ts';
import { harmless, table } from './output.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const record = {
  topic: 't',
  partition: 1,
  offset: 2,
  timestamp: 0,
  headers: [['h', utf8('v')] as const, ['n', null] as const],
  key: utf8('k'),
  value: utf8('{"n":1}'),
};

describe('formats', () => {
  it.each([
    ['%t/%p@%o %k=%v\\n', 't/1@2 k={"n":1}\n'],
    ['%s|%K|%S|%V', '{"n":1}|1|7|7'],
    ['%T %d %d{iso}', '0 0 1970-01-01T00:00:00.000Z'],
    ['%d{%F %T.%L} %T{%d/%b/%Y, %j, %u%%}', '1970-01-01 00:00:00.000 01/Jan/1970, 001, 4%'],
    ['%h', 'h=v,n=null'],
    ['100%%\\t\\x41\\\\', '100%\tA\\'],
    ['%k{hex} %v{base64}', '6b eyJuIjoxfQ=='],
    ['ünï', 'ünï'],
  ])('%s', (format, text) => {
    expect(parseFormat(format, undefined, undefined)(record)).toBe(text);
  });

  it('shows nulls, and what a serde decodes', () => {
    const print = parseFormat('%k %K %v', codecOf('--key', 'string'), codecOf('--value', 'json'));
    expect(print({ ...record, key: null })).toBe('null -1 {"n":1}');
  });

  it.each(['%x', '%t{hex}', '%k{iso}', '%d{%Q}', '%d{%', '%d{%F %}', '%k{%F}'])('refuses %s', (format) => {
    expect(() => parseFormat(format, undefined, undefined)).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });
});

describe('output for people', () => {
  it('lets no record command the terminal', () => {
    expect(harmless('a\u001b[31mb\u0007\nc\td\u009b')).toBe('a\\x1b[31mb\\x07\nc\td\\x9b');
  });

  it('has columns', () => {
    const rows = [
      { topic: 'a', records: 5 },
      { topic: 'long', records: 12345 },
    ];
    expect(table(rows, ['topic', 'records'])).toBe('TOPIC  RECORDS\na            5\nlong     12345');
  });
});
