import { bareMessage, RecordError, StoreError } from '../errors.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { PlainWriter } from '../serdes/msgpack-plain.ts';
import type { Serde } from '../serdes/serde.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** Converts a value into bytes for storage, preceded by its timestamp, and back. */
export interface ValueCodec<T> {
  encode(value: T, timestamp: number): Uint8Array;
  /**
   * @throws RecordError `ERR_VALIDATION` for a value that its schema no longer accepts; StoreError
   * `ERR_CORRUPT_STORE` for anything else that cannot be read.
   */
  decode(bytes: Uint8Array): { readonly value: T; readonly timestamp: number };
}

/** Values encoded by a serde: `[timestamp, 8 bytes][value]`. */
export function serdeCodec<T>(serde: Serde<T>, store: string): ValueCodec<NonNullable<T>> {
  return {
    encode(value, timestamp) {
      const bytes = written(() => serde.serialize(value), store);
      const entry = new Uint8Array(NUMBER_BYTES + bytes.length);
      writeNumber(entry, 0, timestamp);
      entry.set(bytes, NUMBER_BYTES);
      return entry;
    },
    decode(bytes) {
      if (bytes.length < NUMBER_BYTES) throw tooShort(store, bytes.length);
      const value = read(() => serde.deserialize(bytes.subarray(NUMBER_BYTES)), store);
      return { timestamp: readNumber(bytes, 0), value };
    },
  };
}

/**
 * Values as MessagePack, in the format of the serde `msgpack()`. Aggregates use it unless their aggregator has a serde.
 * Values that would be read back differently, such as a `Map` or a `Set`, are refused.
 */
export function msgpackCodec<T>(store: string): ValueCodec<T> {
  const serde = msgpack<T>();
  const plainly = new PlainWriter();
  return {
    encode(value, timestamp) {
      // A single number is by far the most common state: writing eight raw bytes costs a tenth of a MessagePack
      // encoding.
      if (typeof value === 'number') return numberEntry(value, timestamp);
      const plain = plainly.write(value, NUMBER_BYTES + 1);
      if (plain !== undefined) {
        writeNumber(plain, 0, timestamp);
        plain[NUMBER_BYTES] = MSGPACK;
        return plain;
      }
      const bytes = written(() => serde.serialize(value as NonNullable<T>), store);
      const entry = new Uint8Array(NUMBER_BYTES + 1 + bytes.length);
      writeNumber(entry, 0, timestamp);
      entry[NUMBER_BYTES] = MSGPACK;
      entry.set(bytes, NUMBER_BYTES + 1);
      return entry;
    },
    decode(bytes) {
      if (bytes.length <= NUMBER_BYTES) throw tooShort(store, bytes.length);
      return { timestamp: readNumber(bytes, 0), value: read(() => readState(bytes, serde), store) };
    },
  };
}

function readState<T>(bytes: Uint8Array, serde: Serde<T>): T {
  const form = bytes[NUMBER_BYTES];
  if (form === MSGPACK) return serde.deserialize(bytes.subarray(NUMBER_BYTES + 1));
  if (form !== FLOAT || bytes.length !== NUMBER_BYTES + 9) throw new RangeError(`no state of form ${form}`);
  for (let at = 0; at < 8; at += 1) FLOAT_BYTES[at] = bytes[NUMBER_BYTES + 1 + at] as number;
  return FLOAT_VIEW.getFloat64(0) as T;
}

const FLOAT_BYTES = new Uint8Array(8);
const FLOAT_VIEW = new DataView(FLOAT_BYTES.buffer);
const MSGPACK = 1;
const FLOAT = 2;

function numberEntry(value: number, timestamp: number): Uint8Array {
  const entry = new Uint8Array(NUMBER_BYTES + 9);
  writeNumber(entry, 0, timestamp);
  entry[NUMBER_BYTES] = FLOAT;
  // A view of the entry itself would cost as much as everything else.
  FLOAT_VIEW.setFloat64(0, value);
  for (let at = 0; at < 8; at += 1) entry[NUMBER_BYTES + 1 + at] = FLOAT_BYTES[at] as number;
  return entry;
}

/** If a serde cannot read its own bytes, they are not the bytes that were written. */
function read<T>(decode: () => T, store: string): T {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof RecordError && cause.code === 'ERR_VALIDATION') throw outdated(store, cause);
    throw damaged(`an entry of store ${store} cannot be read: ${describe(cause)}`, cause);
  }
}

function written(encode: () => Uint8Array, store: string): Uint8Array {
  try {
    return encode();
  } catch (cause) {
    throw new RecordError('ERR_ENCODE', `an entry of store ${store} cannot be written: ${describe(cause)}`, {
      cause,
      hint: 'keep only values that its serde can write; an aggregator may bring its own serde as `state`',
    });
  }
}

/** Damaged bytes are detected before they reach this point, so it is the schema that has changed. */
function outdated(store: string, cause: RecordError): RecordError {
  const problem = bareMessage(cause).replace(/^.*?refused by its schema: /s, '');
  return new RecordError('ERR_VALIDATION', `an entry of store ${store} no longer fits its schema: ${problem}`, {
    cause,
    hint: 'make the schema accept entries stored before it changed, or write the entry again',
  });
}

/** The same error with the key of the entry, if it is about a schema. */
export function withKey(error: unknown, key: () => unknown): unknown {
  if (!(error instanceof RecordError) || error.code !== 'ERR_VALIDATION') return error;
  const message = bareMessage(error).replace('an entry', `the entry ${showKey(key)}`);
  return new RecordError(error.code, message, { cause: error.cause, hint: error.hint ?? '' });
}

const MAX_KEY_CHARS = 100;

function showKey(key: () => unknown): string {
  const bigints = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  try {
    const text = JSON.stringify(key(), bigints) ?? '';
    return text.length > MAX_KEY_CHARS ? `${text.slice(0, MAX_KEY_CHARS)}…` : text;
  } catch {
    return 'whose key cannot be read';
  }
}

function tooShort(store: string, length: number): StoreError {
  return damaged(`an entry of store ${store} has only ${length} bytes`);
}

function damaged(message: string, cause?: unknown): StoreError {
  return new StoreError('ERR_CORRUPT_STORE', message, {
    cause,
    hint: 'its serde was changed, or the entry is damaged: restore the serde, or run the application under a new applicationId to rebuild the store',
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
