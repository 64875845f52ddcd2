import { type MillraceError, RecordError } from '../errors.ts';
import { sha256Hex } from '../protocol/sha256.ts';
import type { Header, Headers } from '../record.ts';
import type { InputOrigin } from '../topology/task-context.ts';
import { OVERHEAD } from './outputs.ts';
import type { FailurePlace } from './record-failures.ts';
import type { TopicDescription } from './transport.ts';

/** What a dead-letter topic takes. */
export interface LetterLimits {
  readonly topic: string;
  readonly maxMessageBytes: number;
  /** Records without a key are refused, or lost, there. */
  readonly compacted: boolean;
}

/** A record as it is written to a dead-letter topic. */
export interface DeadLetter {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** A longer message says nothing more, and takes the room of the record. */
const MAX_MESSAGE_CHARS = 4096;
/** In a letter that has to be cut, the reason leaves room for the record. */
const SHORT_MESSAGE_CHARS = 256;
const MAX_KEY_HEADER = 256;

const TEXT = new TextEncoder();

export function limitsOf({ config, name }: TopicDescription): LetterLimits {
  return { topic: name, maxMessageBytes: config.maxMessageBytes, compacted: config.cleanup !== 'delete' };
}

/**
 * The dead letter of a record: its key, value and headers as they were, then why and whence in `millrace.*` headers. What
 * its topic does not take as a whole is cut to a head, with size and SHA-256 of the whole in headers, so that no record
 * can end an application because it is too large to be put aside.
 *
 * In a compacted topic a record without a key gets its place as key, because it would be refused or lost there.
 *
 * @throws RecordError `ERR_RECORD_TOO_LARGE` for a topic that does not even take the place of a record
 * @param now - Epoch milliseconds. The letter is as old as the failure and not as its record: a topic may refuse that time,
 * and retention would remove letters about old records at once.
 */
export function deadLetterOf(
  error: MillraceError,
  place: FailurePlace,
  origin: InputOrigin,
  now: number,
  { compacted, maxMessageBytes, topic }: LetterLimits,
): DeadLetter {
  const timestamp = Math.max(0, Math.floor(now));
  // A key that is cut would be that of other records too, and compaction keeps one record of a key.
  const named = compacted && (origin.key === null || origin.key.length > maxMessageBytes / 2);
  const key = named ? TEXT.encode(`${origin.topic}/${origin.partition}/${origin.offset}`) : origin.key;
  const missing: Headers = named ? [['millrace.origin.key', origin.key && head(origin.key, MAX_KEY_HEADER)]] : [];
  const headers = [...origin.headers, ...missing, ...reasons(error, place, origin, MAX_MESSAGE_CHARS)];
  if (sizeOf(key, origin.value, headers) <= maxMessageBytes) {
    return { key, value: origin.value, timestamp, headers };
  }
  const why = [...missing, ...reasons(error, place, origin, SHORT_MESSAGE_CHARS)];
  const letter = { timestamp, ...cut(key, origin, why, maxMessageBytes) };
  // Without its place a letter would stand for nothing.
  if (letter.headers.some(([name]) => name === 'millrace.origin.offset')) return letter;
  throw new RecordError('ERR_RECORD_TOO_LARGE', `a dead letter is too large for topic ${topic}, even when it is cut`, {
    topic,
    written: 'no',
    hint: `the topic takes up to ${maxMessageBytes} bytes: raise its maxMessageBytes to 2000 at least`,
    cause: error,
  });
}

/** Puts in what fits, most important first: whence and why, the key, headers, and as much of the value as there is room. */
function cut(
  key: Uint8Array | null,
  origin: InputOrigin,
  why: Headers,
  maxBytes: number,
): Pick<DeadLetter, 'key' | 'value' | 'headers'> {
  const added: Header[] = [];
  const size = (): number => sizeOf(null, null, added);
  const add = (headers: Headers): void => {
    for (const header of headers) if (size() + headerBytes(header) <= maxBytes) added.push(header);
  };
  const { headers: own, value } = origin;
  const keyCut = key !== null && key.length > Math.max(maxBytes / 4, maxBytes - sizeOf(null, value, why));
  add(why.filter(isPlace));
  if (keyCut) add(measures('key', key));
  if (value !== null) add(measures('value', value));
  add(why.filter((header) => !isPlace(header)));
  const keyPart = key === null ? null : head(key, keyCut ? (maxBytes - size()) / 2 : maxBytes - size());
  const kept: Header[] = [];
  let room = (maxBytes - size() - (keyPart?.length ?? 0)) / 2;
  for (const header of own) {
    const bytes = headerBytes(header);
    if (bytes > room) continue;
    kept.push(header);
    room -= bytes;
  }
  if (kept.length < own.length) add([count('headers.left-out', own.length - kept.length)]);
  const headers = [...kept, ...added];
  return { key: keyPart, value: value && head(value, maxBytes - sizeOf(keyPart, null, headers)), headers };
}

function head(bytes: Uint8Array, room: number): Uint8Array {
  return bytes.subarray(0, Math.max(0, Math.floor(room)));
}

function measures(part: 'key' | 'value', bytes: Uint8Array): Header[] {
  return [count(`${part}.size`, bytes.length), [`millrace.origin.${part}.sha256`, TEXT.encode(sha256Hex(bytes))]];
}

function count(name: string, value: number): Header {
  return [`millrace.origin.${name}`, TEXT.encode(String(value))];
}

/** Where the record is comes before what was wrong: with that the record can be read. */
function isPlace([name]: Header): boolean {
  return name.startsWith('millrace.origin.');
}

function sizeOf(key: Uint8Array | null, value: Uint8Array | null, headers: Headers): number {
  return headers.reduce(
    (sum, header) => sum + headerBytes(header),
    OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0),
  );
}

/** Two lengths of five bytes at most, and what they measure. */
function headerBytes([name, value]: Header): number {
  return 10 + TEXT.encode(name).length + (value?.length ?? 0);
}

/** Why the record is here and where it was. Texts in UTF-8. */
function reasons(error: MillraceError, place: FailurePlace, origin: InputOrigin, messageChars: number): Header[] {
  const header = (name: string, value: string | number): Header => [`millrace.${name}`, TEXT.encode(String(value))];
  const { message } = error;
  return [
    header('error.code', error.code),
    header('error.class', error.errorClass),
    header('error.message', message.length > messageChars ? `${message.slice(0, messageChars)}…` : message),
    ...(place.applicationId === undefined ? [] : [header('application', place.applicationId)]),
    ...(place.stage === undefined ? [] : [header('stage', place.stage)]),
    header('step', place.step),
    header('origin.topic', origin.topic),
    header('origin.partition', origin.partition),
    header('origin.offset', origin.offset),
    ...(origin.lastOffset === undefined ? [] : [header('origin.last-offset', origin.lastOffset)]),
    header('origin.timestamp', origin.timestamp),
  ];
}
