import { type Headers, RecordError } from '../index.ts';
import type { Codec } from './codecs.ts';
import { toJson } from './to-json.ts';

/** A record with the bytes that are in the log. */
export interface RawRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly headers: Headers;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** What `produce` takes of an envelope. */
export interface EnvelopeRecord {
  readonly partition: number | undefined;
  readonly timestamp: number | undefined;
  readonly headers: Headers;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** How a part of a record stands in its envelope: as text unless something else is said. */
type Encoding = 'base64' | 'decoded';

/**
 * A record as one line of JSON. Bytes that are UTF-8 stand as text, others in base64 with `keyEncoding`, `valueEncoding`, so
 * that the same bytes come out again. With a serde the decoded value stands there, marked `decoded`; bytes that the serde
 * cannot read stand as they would without it, and the reason in `keyError`, `valueError`.
 */
export function envelope(record: RawRecord, key: Codec | undefined, value: Codec | undefined): string {
  const { headers, offset, partition, timestamp, topic } = record;
  const line = {
    topic,
    partition,
    offset,
    timestamp,
    headers: headers.map(([name, bytes]) => header(name, bytes)),
    ...part('key', record.key, key),
    ...part('value', record.value, value),
  };
  return toJson(line) as string;
}

function header(name: string, bytes: Uint8Array | null): readonly unknown[] {
  if (bytes === null) return [name, null];
  const text = textOf(bytes);
  return text === undefined ? [name, base64(bytes), 'base64'] : [name, text];
}

function part(name: 'key' | 'value', bytes: Uint8Array | null, codec: Codec | undefined): object {
  if (bytes === null) return { [name]: null };
  let error: string | undefined;
  if (codec !== undefined) {
    try {
      return { [name]: codec.show(bytes), [`${name}Encoding`]: 'decoded' };
    } catch (failure) {
      error = failure instanceof Error ? failure.message : String(failure);
    }
  }
  const problem = error === undefined ? {} : { [`${name}Error`]: error };
  const text = textOf(bytes);
  if (text !== undefined) return { [name]: text, ...problem };
  return { [name]: base64(bytes), [`${name}Encoding`]: 'base64', ...problem };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text whose UTF-8 these bytes are; `undefined` for other bytes. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const utf8 = new TextEncoder();

/**
 * Reads what {@link envelope} wrote; from other programs any object with a `value` will do.
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
  return {
    partition: whole(fields, 'partition'),
    timestamp: whole(fields, 'timestamp'),
    headers: headersOf(fields['headers']),
    key: bytesOf(fields, 'key', key),
    value: bytesOf(fields, 'value', value),
  };
}

function bytesOf(
  fields: Readonly<Record<string, unknown>>,
  name: 'key' | 'value',
  codec: Codec | undefined,
): Uint8Array | null {
  const content = fields[name] ?? null;
  const encoding = fields[`${name}Encoding`] as Encoding | undefined;
  if (content === null) return null;
  if (encoding === 'base64') return fromBase64(content, name);
  if (
    encoding === 'decoded' ||
    (codec !== undefined && encoding === undefined && fields[`${name}Error`] === undefined)
  ) {
    if (codec !== undefined) return codec.read(content);
    throw bad(`its ${name} was decoded, and nothing says how to encode it: give --${name}, as it was read with`);
  }
  if (encoding !== undefined) throw bad(`its ${name} has the encoding ${JSON.stringify(encoding)}`);
  if (typeof content !== 'string') throw bad(`its ${name} is ${typeof content}, and text without --${name}`);
  return utf8.encode(content);
}

function headersOf(headers: unknown): Headers {
  if (headers === undefined || headers === null) return [];
  if (!Array.isArray(headers)) throw bad('its headers are not an array of [name, value]');
  return headers.map((each: unknown) => {
    if (!Array.isArray(each)) throw bad('its headers are not an array of [name, value]');
    const [name, content, encoding] = each as readonly unknown[];
    if (typeof name !== 'string') throw bad('a header has no name');
    if (content === null) return [name, null];
    if (encoding === 'base64') return [name, fromBase64(content, `header ${name}`)];
    if (typeof content !== 'string') throw bad(`header ${name} is ${typeof content}, not text`);
    return [name, utf8.encode(content)];
  });
}

function fromBase64(content: unknown, name: string): Uint8Array {
  if (typeof content !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(content)) throw bad(`its ${name} is not base64`);
  return new Uint8Array(Buffer.from(content, 'base64'));
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
    hint: 'one JSON object per line with value, and key, headers, partition, timestamp where wanted, as consume --json prints',
  });
}
