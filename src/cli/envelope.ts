import { type Headers, MillraceError, RecordError } from '../index.ts';
import { fromBase64, toBase64 } from './base64.ts';
import type { Codec } from './codecs.ts';
import { fieldTexts } from './json-texts.ts';
import { withoutHint } from './line-error.ts';

/** A record with its bytes in the log. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** The parts of an envelope that `produce` uses. */
export interface EnvelopeRecord {
  readonly partition: number | undefined;
  readonly timestamp: number | undefined;
  readonly headers: Headers;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** The encoding of a part of a record in its envelope (default: text). */
type Encoding = 'text' | 'base64' | 'decoded';

/**
 * A record as one line of JSON, which {@link parseEnvelope} converts back to the same bytes. Bytes that are UTF-8 are
 * written as text, others in base64 with `keyEncoding`, `valueEncoding`. With a serde, the decoded value is written and
 * marked `decoded` if encoding it gives the same bytes; otherwise the bytes are written as without a serde, and the
 * decoded value goes to `keyShown`, `valueShown`. Bytes that the serde cannot read are written with the reason in
 * `keyError`, `valueError`.
 */
export function envelope(record: RawRecord, key: Codec | undefined, value: Codec | undefined): string {
  const { offset, partition, topic } = record;
  return withContents({ topic, partition, offset }, record, key, value);
}

/** An object as one line of JSON, with the contents of a record as {@link envelope} writes them. */
export function withContents(
  about: object,
  record: Pick<RawRecord, 'timestamp' | 'headers' | 'key' | 'value'>,
  key: Codec | undefined,
  value: Codec | undefined,
): string {
  const { headers, timestamp } = record;
  const start = JSON.stringify({ ...about, timestamp, headers: headers.map(header) });
  return `${start.slice(0, -1)},${part('key', record.key, key)},${part('value', record.value, value)}}`;
}

function header([name, bytes]: readonly [string, Uint8Array | null]): readonly unknown[] {
  if (bytes === null) return [name, null];
  const text = textOf(bytes);
  return text === undefined ? [name, toBase64(bytes), 'base64'] : [name, text];
}

/** The fields of a key or a value. */
function part(name: 'key' | 'value', bytes: Uint8Array | null, codec: Codec | undefined): string {
  if (bytes === null) return `"${name}":null`;
  const text = textOf(bytes);
  const plain = `"${name}":${JSON.stringify(text ?? toBase64(bytes))}`;
  if (codec === undefined) return text === undefined ? `${plain},"${name}Encoding":"base64"` : plain;
  // Without the mark it would be mistaken for a value that must still be encoded.
  const marked = `${plain},"${name}Encoding":"${text === undefined ? 'base64' : 'text'}"`;
  let shown: string;
  try {
    shown = codec.json(bytes);
  } catch (failure) {
    const reason = failure instanceof MillraceError ? withoutHint(failure) : String(failure);
    return `${marked},"${name}Error":${JSON.stringify(reason)}`;
  }
  if (isExact(shown, bytes, codec)) return `"${name}":${shown},"${name}Encoding":"decoded"`;
  return `${marked},"${name}Shown":${shown}`;
}

/** Whether the JSON form of a value is exact: encoding it gives the original bytes. */
function isExact(shown: string, bytes: Uint8Array, codec: Codec): boolean {
  try {
    const value: unknown = JSON.parse(shown);
    // Null stands for a tombstone.
    return value !== null && Buffer.compare(codec.read(value, shown), bytes) === 0;
  } catch {
    return false;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes UTF-8 bytes; `undefined` for other bytes. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const utf8 = new TextEncoder();

/**
 * Reads what {@link envelope} wrote; objects of other programs only need a `value`.
 *
 * @throws RecordError `ERR_ENVELOPE`
 */
export function parseEnvelope(line: string, key: Codec | undefined, value: Codec | undefined): EnvelopeRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (cause) {
    throw bad('it is not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw bad('it is not an object');
  const fields = parsed as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(fields, 'value')) throw bad('it has no value');
  const texts = key === undefined && value === undefined ? undefined : fieldTexts(line);
  return {
    partition: whole(fields, 'partition'),
    timestamp: whole(fields, 'timestamp'),
    headers: headersOf(fields['headers']),
    key: bytesOf(fields, 'key', key, texts?.get('key')),
    value: bytesOf(fields, 'value', value, texts?.get('value')),
  };
}

function bytesOf(
  fields: Readonly<Record<string, unknown>>,
  name: 'key' | 'value',
  codec: Codec | undefined,
  text: string | undefined,
): Uint8Array | null {
  const content = fields[name] ?? null;
  const encoding = fields[`${name}Encoding`] as Encoding | null | undefined;
  if (content === null) return null;
  switch (encoding) {
    case 'base64':
      return decodeBase64(content, name);
    case 'text':
      return encodeText(content, name);
    case 'decoded':
      if (codec !== undefined) return codec.read(content, text as string);
      throw bad(`its ${name} was decoded, and nothing says how to encode it: give the --${name} that it was read with`);
    case undefined:
    case null:
      // Earlier versions did not mark undecodable bytes as text.
      if (codec !== undefined && fields[`${name}Error`] === undefined) return codec.read(content, text as string);
      return encodeText(content, name);
    default:
      throw bad(`its ${name} has the encoding ${JSON.stringify(encoding)}`);
  }
}

function encodeText(content: unknown, name: string): Uint8Array {
  if (typeof content !== 'string')
    throw bad(`its ${name} is ${kindOf(content)}, but without --${name} it must be text`);
  if (/\p{Surrogate}/u.test(content)) throw bad(`its ${name} has a lone surrogate, which UTF-8 cannot encode`);
  return utf8.encode(content);
}

const kindOf = (content: unknown): string =>
  Array.isArray(content) ? 'an array' : typeof content === 'object' ? 'an object' : `a ${typeof content}`;

function headersOf(headers: unknown): Headers {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) throw bad('its headers are not an array of [name, value]');
  return headers.map((each: unknown) => {
    if (!Array.isArray(each)) throw bad('its headers are not an array of [name, value]');
    const [name, content, encoding] = each as readonly unknown[];
    if (typeof name !== 'string') throw bad('a header has no name');
    if (content === null) return [name, null];
    if (encoding === 'base64') return [name, decodeBase64(content, `header ${name}`)];
    if (encoding !== undefined) throw bad(`header ${name} has the encoding ${JSON.stringify(encoding)}`);
    if (typeof content !== 'string') throw bad(`header ${name} is ${typeof content}, not text`);
    return [name, encodeText(content, `header ${name}`)];
  });
}

function decodeBase64(content: unknown, name: string): Uint8Array {
  const bytes = typeof content === 'string' ? fromBase64(content) : undefined;
  if (bytes === undefined) throw bad(`its ${name} is not base64`);
  return bytes;
}

function whole(fields: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const number = fields[name];
  if (number === undefined || number === null) return undefined;
  if (!Number.isSafeInteger(number) || (number as number) < 0) throw bad(`its ${name} is ${JSON.stringify(number)}`);
  return number as number;
}

function bad(problem: string, cause?: unknown): RecordError {
  return new RecordError('ERR_ENVELOPE', `a line is not a record: ${problem}`, {
    ...(cause === undefined ? {} : { cause }),
    hint:
      'one JSON object per line with value, and key, headers, partition, timestamp where wanted, as consume --json prints; ' +
      'what is not text needs a serde, such as --value json',
  });
}
