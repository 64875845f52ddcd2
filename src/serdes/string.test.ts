import { describe, expect, it } from 'vitest';
import { string } from './string.ts';
import { decodeUtf8, encodeUtf8, isUtf8, isWellFormed } from './text.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const code = (of: () => unknown): unknown => {
  try {
    of();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'no error';
};

describe('string', () => {
  const serde = string();

  it.each([
    '',
    'a',
    'user-1',
    'exactly-12-b',
    'thirteen-byte',
    'ä',
    'häuser',
    '\u{1F600}',
    '\uFEFFbom',
    '\uFFFD',
    '\0',
    'x'.repeat(40),
    'é'.repeat(5000),
  ])('writes %j as UTF-8 and reads it back', (text) => {
    expect(serde.serialize(text)).toEqual(utf8(text));
    expect(serde.deserialize(utf8(text))).toBe(text);
    expect(serde.toText?.(text)).toBe(text);
    const padded = new Uint8Array([0xff, ...utf8(text), 0xff]);
    expect(serde.decodeRange?.(padded, 1, padded.length - 1)).toBe(text);
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a truncated character', [0x61, 0xc3]],
    ['an overlong form', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that UTF-8 never has', [0x61, 0x62, 0xff]],
  ])('refuses %s, short and long', (_, bytes) => {
    expect(code(() => serde.deserialize(new Uint8Array(bytes)))).toBe('ERR_DECODE');
    expect(code(() => serde.deserialize(new Uint8Array([...utf8('x'.repeat(30)), ...bytes])))).toBe('ERR_DECODE');
  });

  it('shows the first bytes and what to do', () => {
    expect(() => serde.deserialize(new Uint8Array([0x61, 0xff]))).toThrow(
      'string cannot read malformed UTF-8 (2 bytes: 0x61ff) – check that the producer writes this format',
    );
  });

  it('refuses lone surrogates and other types on writing, also through toText', () => {
    for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) {
      expect(code(() => serde.serialize(text))).toBe('ERR_ENCODE');
      expect(code(() => serde.toText?.(text))).toBe('ERR_ENCODE');
    }
    // @ts-expect-error a program in JavaScript may pass anything
    expect(code(() => serde.serialize(5))).toBe('ERR_ENCODE');
  });

  it('reads a character across the edge of a range as malformed', () => {
    const bytes = utf8('aé');
    expect(decodeUtf8(bytes, 0, 2)).toBeUndefined();
    expect(isUtf8(bytes, 0, 2)).toBe(false);
  });

  it('writes texts of every length around its thresholds', () => {
    for (const length of [31, 32, 33, 2730, 2731, 9000]) {
      for (const text of ['a'.repeat(length), `${'a'.repeat(length - 1)}é`])
        expect(encodeUtf8(text)).toEqual(utf8(text));
    }
    expect(isWellFormed('\u{1F600}')).toBe(true);
  });
});
