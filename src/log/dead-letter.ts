import type { KeptRow } from '../dataflow/emitted-row.ts';
import type { InputOrigin } from '../dataflow/task-context.ts';
import { bareMessage, type MillraceError, RecordError } from '../errors.ts';
import { sha256Hex } from '../protocol/sha256.ts';
import { type Header, type Headers, NO_HEADERS } from '../record.ts';
import { OVERHEAD } from './outputs.ts';
import type { FailurePlace } from './record-failures.ts';
import { keyText, rowKey, rowValue } from './row-letter.ts';
import type { TopicDescription } from './transport.ts';

/** The limits of a dead-letter topic. */
export interface LetterLimits {
  readonly topic: string;
  readonly maxMessageBytes: number;
  /** Whether it is compacted: it then refuses or loses records without a key. */
  readonly compacted: boolean;
}

/** A record to write to a dead-letter topic. */
export interface DeadLetter {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Headers;
}

/** A longer message adds little and takes room from the record. */
const MAX_MESSAGE_CHARS = 4096;
/** In a letter that must be cut, the reason leaves room for the record. */
const SHORT_MESSAGE_CHARS = 256;
const MAX_KEY_HEADER = 256;

const TEXT = new TextEncoder();

export function limitsOf({ config, name }: TopicDescription): LetterLimits {
  return { topic: name, maxMessageBytes: config.maxMessageBytes, compacted: config.cleanup !== 'delete' };
}

/**
 * Makes the dead letter of a record: its original key, value and headers, then `millrace.*` headers that say why it
 * failed and where it was. Parts that are too large for the topic are cut, with the size and SHA-256 of the whole part
 * in headers, so that a record that is too large for a dead letter cannot stop an application.
 *
 * In a compacted topic, which refuses or loses records without a key, such a record gets its place as key.
 *
 * The letter of a kept row, such as that of a closed window, differs: it has the key and the value of the row, and
 * `millrace.row.*` headers instead of `millrace.origin.*`. The record that was being processed when the row was due did
 * not fail and must not be mistaken for the one that did.
 *
 * @throws RecordError `ERR_RECORD_TOO_LARGE` if the topic is too small even for the place of a record
 * @param now - Timestamp of the letter, in ms since the epoch. It is the time of the failure and not that of the
 * record: a topic might refuse that time, and retention would remove letters about old records at once.
 */
export function deadLetterOf(
  error: MillraceError,
  place: FailurePlace,
  origin: InputOrigin,
  now: number,
  { compacted, maxMessageBytes, topic }: LetterLimits,
): DeadLetter {
  const timestamp = Math.max(0, Math.floor(now));
  const content = contentOf(origin);
  const { value } = content;
  // A cut key could equal that of other records, and compaction keeps only one record per key.
  const named = compacted && (content.key === null || content.key.length > maxMessageBytes / 2);
  const key = named ? TEXT.encode(content.name) : content.key;
  const missing: Headers = named ? [[`${content.prefix}key`, content.key && head(content.key, MAX_KEY_HEADER)]] : [];
  const why = (messageChars: number): Headers => [
    ...missing,
    ...reasons(error, place, messageChars),
    ...(origin.row === undefined || origin.row.kept !== undefined ? [] : [header('applied', origin.row.step)]),
    ...content.place,
  ];
  const headers = [...content.headers, ...why(MAX_MESSAGE_CHARS)];
  if (sizeOf(key, value, headers) <= maxMessageBytes) return { key, value, timestamp, headers };
  const letter = { timestamp, ...cut(key, content, why(SHORT_MESSAGE_CHARS), maxMessageBytes) };
  // A letter without the place of its record would be useless.
  if (letter.headers.some(([name]) => name === content.essential)) return letter;
  throw new RecordError(
    'ERR_RECORD_TOO_LARGE',
    `a dead letter is too large for topic ${topic}, even after it was cut`,
    {
      topic,
      written: 'no',
      hint: `the topic takes up to ${maxMessageBytes} bytes: raise its maxMessageBytes to at least 2000`,
      cause: error,
    },
  );
}

/** The content of a letter: a record as it was read, or a row. */
interface Content extends Pick<DeadLetter, 'key' | 'value' | 'headers'> {
  /** Prefix of the headers that describe it. */
  readonly prefix: 'millrace.origin.' | 'millrace.row.';
  /** Identifies it uniquely. */
  readonly name: string;
  readonly place: Headers;
  /** The header with its place that a letter must have. */
  readonly essential: string;
}

function contentOf(origin: InputOrigin): Content {
  const { offset, partition, row, topic } = origin;
  if (row?.kept !== undefined) return rowContent(origin, row.step, row.kept);
  const place = [
    header('origin.topic', topic),
    header('origin.partition', partition),
    header('origin.offset', offset),
    ...(origin.lastOffset === undefined ? [] : [header('origin.last-offset', origin.lastOffset)]),
    header('origin.timestamp', origin.timestamp),
  ];
  const { headers, key, value } = origin;
  const name = `${topic}/${partition}/${offset}`;
  return { prefix: 'millrace.origin.', key, value, headers, name, place, essential: 'millrace.origin.offset' };
}

function rowContent({ offset, partition, topic }: InputOrigin, step: string, row: KeptRow): Content {
  const { holds, key, timestamp, window } = row;
  const { bytes, encoding } = rowValue(row);
  const keyBytes = rowKey(row);
  const place = [
    header('row.step', step),
    header('row.key', keyText(key)),
    ...(window === undefined ? [] : [header('row.window.start', window.start), header('row.window.end', window.end)]),
    header('row.timestamp', timestamp),
    header('row.holds', holds),
    header('row.encoding', encoding),
    // The record that was being processed when the row was due; −1 at the end of a bounded run.
    header('row.emitted-at.topic', topic),
    header('row.emitted-at.partition', partition),
    header('row.emitted-at.offset', offset),
  ];
  const name = `${step}/${partition}/${window?.start ?? timestamp}/${sha256Hex(keyBytes)}`;
  const prefix = 'millrace.row.';
  return { prefix, key: keyBytes, value: bytes, headers: NO_HEADERS, name, place, essential: 'millrace.row.step' };
}

/**
 * Includes what fits, most important first: where and why, the key, headers, and as much of the value as there is room
 * for.
 */
function cut(
  key: Uint8Array | null,
  { headers: own, prefix, value }: Content,
  why: Headers,
  maxBytes: number,
): Pick<DeadLetter, 'key' | 'value' | 'headers'> {
  const added: Header[] = [];
  const size = (): number => sizeOf(null, null, added);
  const add = (headers: Headers): void => {
    for (const header of headers) if (size() + headerBytes(header) <= maxBytes) added.push(header);
  };
  const keyCut = key !== null && key.length > Math.max(maxBytes / 4, maxBytes - sizeOf(null, value, why));
  add(why.filter(isPlace));
  if (keyCut) add(measures(prefix, 'key', key));
  if (value !== null) add(measures(prefix, 'value', value));
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
  if (kept.length < own.length) add([header('origin.headers.left-out', own.length - kept.length)]);
  const headers = [...kept, ...added];
  return { key: keyPart, value: value && head(value, maxBytes - sizeOf(keyPart, null, headers)), headers };
}

function head(bytes: Uint8Array, room: number): Uint8Array {
  return bytes.subarray(0, Math.max(0, Math.floor(room)));
}

function measures(prefix: string, part: 'key' | 'value', bytes: Uint8Array): Header[] {
  return [
    [`${prefix}${part}.size`, TEXT.encode(String(bytes.length))],
    [`${prefix}${part}.sha256`, TEXT.encode(sha256Hex(bytes))],
  ];
}

function header(name: string, value: string | number): Header {
  return [`millrace.${name}`, TEXT.encode(String(value))];
}

/** The place of the record comes before the reason: with the place, the record can be read. */
function isPlace([name]: Header): boolean {
  return name.startsWith('millrace.origin.') || name.startsWith('millrace.row.');
}

function sizeOf(key: Uint8Array | null, value: Uint8Array | null, headers: Headers): number {
  return headers.reduce(
    (sum, header) => sum + headerBytes(header),
    OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0),
  );
}

/** Two lengths of at most five bytes each, and the name and value. */
function headerBytes([name, value]: Header): number {
  return 10 + TEXT.encode(name).length + (value?.length ?? 0);
}

/** Why the record failed. Text is in UTF-8. */
function reasons(error: MillraceError, place: FailurePlace, messageChars: number): Header[] {
  // The place is in other headers, and the hint is for those who run the application.
  const message = bareMessage(error);
  return [
    header('error.code', error.code),
    header('error.class', error.errorClass),
    header('error.message', message.length > messageChars ? `${message.slice(0, messageChars)}…` : message),
    ...(place.applicationId === undefined ? [] : [header('application', place.applicationId)]),
    ...(place.stage === undefined ? [] : [header('stage', place.stage)]),
    header('step', place.step),
  ];
}
