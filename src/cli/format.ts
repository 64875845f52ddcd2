import { ConfigError } from '../index.ts';
import { toBase64 } from './base64.ts';
import type { Codec } from './codecs.ts';
import { type RawRecord, textOf } from './envelope.ts';
import { strftime } from './strftime.ts';

/** Formats a record. */
export type Format = (record: RawRecord) => string;

type Token = (record: RawRecord) => string;

/**
 * Parses a format like those of rpk and kcat: `%t` topic, `%p` partition, `%o` offset, `%k` key, `%v` or `%s` value,
 * `%h` headers, `%T` or `%d` timestamp in milliseconds, `%K` and `%V` or `%S` their lengths in bytes (−1 for null),
 * `%%`; and `\n`, `\t`, `\r`, `\\`, `\xHH`. `%k{hex}`, `%v{base64}` and `%d{iso}` choose how, and `%d{%H:%M}`
 * takes the letters of strftime, in UTC.
 *
 * @throws ConfigError `ERR_OPTION` for a token that does not exist.
 */
export function parseFormat(format: string, key: Codec | undefined, value: Codec | undefined): Format {
  const parts: (string | Token)[] = [];
  const pattern = /%([a-zA-Z%])(?:\{([^{}]*)\})?|\\(?:x([0-9a-fA-F]{2})|([ntr\\0]))|[^%\\]+|./gs;
  for (const match of format.matchAll(pattern)) {
    const [whole, letter, modifier, hex, escaped] = match;
    if (letter !== undefined) parts.push(token(letter, modifier, key, value));
    else if (hex !== undefined) parts.push(String.fromCharCode(Number.parseInt(hex, 16)));
    else if (escaped !== undefined) parts.push(ESCAPES[escaped] as string);
    else if (whole === '%') throw wrong('% alone');
    else parts.push(whole);
  }
  return (record) => parts.map((part) => (typeof part === 'string' ? part : part(record))).join('');
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '0': '\0' };

function token(
  letter: string,
  modifier: string | undefined,
  key: Codec | undefined,
  value: Codec | undefined,
): string | Token {
  const plain = (made: string | Token): string | Token => {
    if (modifier === undefined) return made;
    throw wrong(`%${letter}{${modifier}}`);
  };
  switch (letter) {
    case '%':
      return plain('%');
    case 't':
      return plain(({ topic }) => topic);
    case 'p':
      return plain(({ partition }) => String(partition));
    case 'o':
      return plain(({ offset }) => String(offset));
    case 'k':
      return bytesToken(letter, (record) => record.key, modifier, key);
    case 'v':
    case 's':
      return bytesToken(letter, (record) => record.value, modifier, value);
    case 'K':
      return plain((record) => String(record.key?.length ?? -1));
    case 'V':
    case 'S':
      return plain((record) => String(record.value?.length ?? -1));
    case 'h':
      return plain(({ headers }) => headers.map(([name, bytes]) => `${name}=${show(bytes, undefined)}`).join(','));
    case 'T':
    case 'd':
      if (modifier === 'iso') return ({ timestamp }) => isoOf(timestamp);
      if (modifier?.includes('%') === true) return timeFormat(modifier);
      return plain(({ timestamp }) => String(timestamp));
    default:
      throw wrong(`%${letter}`);
  }
}

function timeFormat(pattern: string): Token {
  const print = strftime(pattern);
  if (typeof print === 'function') return ({ timestamp }) => print(timestamp);
  throw wrong(`%d{…%${print.unknown}…}`);
}

function bytesToken(
  letter: string,
  of: (record: RawRecord) => Uint8Array | null,
  modifier: string | undefined,
  codec: Codec | undefined,
): Token {
  if (modifier === 'hex' || modifier === 'base64') {
    return (record) => Buffer.from(of(record) ?? []).toString(modifier);
  }
  if (modifier !== undefined) throw wrong(`%${letter}{${modifier}}`);
  return (record) => show(of(record), codec);
}

/** A time as RFC 3339, if it is within the range of dates. */
export function isoOf(timestamp: number): string {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : date.toISOString();
}

/** Bytes for people: decoded if there is a serde, otherwise as text or in base64. */
export function show(bytes: Uint8Array | null, codec: Codec | undefined): string {
  if (bytes === null) return 'null';
  if (codec !== undefined) {
    const shown = codec.json(bytes);
    return shown.startsWith('"') ? (JSON.parse(shown) as string) : shown;
  }
  return textOf(bytes) ?? toBase64(bytes);
}

function wrong(text: string): ConfigError {
  return new ConfigError('ERR_OPTION', `--format: there is no ${text}`, {
    hint: '%t topic, %p partition, %o offset, %k key, %v value, %h headers, %T or %d timestamp, %K and %V lengths, %% for %; %k{hex}, %v{base64}, %d{iso}, %d{%F %T}',
  });
}
