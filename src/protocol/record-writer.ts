import type { Headers } from '../record.ts';
import { maxUtf8Bytes, writeUtf8 } from './utf8.ts';
import { varintSize, writeVarint, writeVarlong } from './varint.ts';

/** A key or value to write into a record: bytes are copied, text becomes UTF-8, null stays null. */
export type Field = Uint8Array | string | null;

/** Length, attributes, two deltas and three more lengths, each at its maximum size. */
const MAX_OVERHEAD = 5 + 1 + 10 + 5 + 5 + 5 + 5;

/** Upper bound for the room that {@link writeRecord} needs. */
export function maxRecordBytes(key: Field, value: Field, headers: Headers): number {
  return MAX_OVERHEAD + mostBytes(key) + mostBytes(value) + (headers.length === 0 ? 0 : mostOf(headers));
}

/** Writes one record with minimal lengths and returns the position after it. The caller must have made room. */
export function writeRecord(
  bytes: Uint8Array,
  start: number,
  timestampDelta: number,
  offsetDelta: number,
  key: Field,
  value: Field,
  headers: Headers,
): number {
  // The length comes first but is known last: leave room for its likely size (all text is ASCII), and correct it if
  // wrong.
  const likely = 8 + (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
  const room = varintSize(headers.length === 0 ? likely : likely + 12 * headers.length);
  const body = start + room;
  let p = body;
  bytes[p++] = 0; // attributes: unused in this format
  p = writeVarlong(bytes, p, timestampDelta);
  p = writeVarint(bytes, p, offsetDelta);
  p = writeField(bytes, p, key);
  p = writeField(bytes, p, value);
  p = headers.length === 0 ? writeVarint(bytes, p, 0) : writeHeaders(bytes, p, headers);
  const length = p - body;
  const needed = varintSize(length);
  if (needed !== room) {
    bytes.copyWithin(start + needed, body, p);
    p += needed - room;
  }
  writeVarint(bytes, start, length);
  return p;
}

/** Writes a record with encoded key, value and headers; returns the position after it. */
export function writeEncoded(
  bytes: Uint8Array,
  start: number,
  timestampDelta: number,
  offsetDelta: number,
  source: Uint8Array,
  from: number,
  to: number,
): number {
  const room = varintSize(8 + to - from);
  const body = start + room;
  bytes[body] = 0; // attributes
  let p = writeVarlong(bytes, body + 1, timestampDelta);
  p = writeVarint(bytes, p, offsetDelta);
  const length = p - body + to - from;
  const needed = varintSize(length);
  if (needed !== room) {
    bytes.copyWithin(start + needed, body, p);
    p += needed - room;
  }
  writeVarint(bytes, start, length);
  bytes.set(source.subarray(from, to), p);
  return p + to - from;
}

function mostBytes(field: Field): number {
  if (field === null) return 0;
  return typeof field === 'string' ? maxUtf8Bytes(field) : field.length;
}

function mostOf(headers: Headers): number {
  let most = 0;
  for (const [name, value] of headers) most += 10 + maxUtf8Bytes(name) + (value === null ? 0 : value.length);
  return most;
}

function writeField(bytes: Uint8Array, position: number, field: Field): number {
  if (field === null) return writeVarint(bytes, position, -1);
  if (typeof field === 'string') return writeText(bytes, position, field);
  const start = writeVarint(bytes, position, field.length);
  copyBytes(bytes, start, field);
  return start + field.length;
}

/** Writes length and text. The length is first assumed to be that of ASCII; the text is moved if that was too small. */
function writeText(bytes: Uint8Array, position: number, text: string): number {
  const room = varintSize(text.length);
  const start = position + room;
  let end = writeUtf8(bytes, start, text);
  const length = end - start;
  const needed = varintSize(length);
  if (needed !== room) {
    bytes.copyWithin(position + needed, start, end);
    end += needed - room;
  }
  writeVarint(bytes, position, length);
  return end;
}

function writeHeaders(bytes: Uint8Array, position: number, headers: Headers): number {
  let p = writeVarint(bytes, position, headers.length);
  for (const [name, value] of headers) {
    p = writeText(bytes, p, name);
    p = writeField(bytes, p, value);
  }
  return p;
}

/** A short copy is faster in a loop than through `set`. */
function copyBytes(target: Uint8Array, start: number, source: Uint8Array): void {
  const length = source.length;
  if (length > 32) {
    target.set(source, start);
    return;
  }
  for (let i = 0; i < length; i++) target[start + i] = source[i]!;
}
