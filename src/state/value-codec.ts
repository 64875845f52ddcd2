import { Decoder, Encoder } from '@msgpack/msgpack';
import { StoreError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** Turns a stored value into bytes with its timestamp in front, and back. */
export interface ValueCodec<T> {
  encode(value: T, timestamp: number): Uint8Array;
  decode(bytes: Uint8Array): { readonly value: T; readonly timestamp: number };
}

/** Values by a serde: `[timestamp, 8 bytes][value]`. */
export function serdeCodec<T>(serde: Serde<T>, store: string): ValueCodec<NonNullable<T>> {
  return {
    encode(value, timestamp) {
      const bytes = serde.serialize(value);
      const entry = new Uint8Array(NUMBER_BYTES + bytes.length);
      writeNumber(entry, 0, timestamp);
      entry.set(bytes, NUMBER_BYTES);
      return entry;
    },
    decode(bytes) {
      if (bytes.length < NUMBER_BYTES) throw tooShort(store, bytes.length);
      return { timestamp: readNumber(bytes, 0), value: serde.deserialize(bytes.subarray(NUMBER_BYTES)) };
    },
  };
}

/** Values as MessagePack: what aggregates keep unless their aggregator brings a serde. */
export function msgpackCodec<T>(store: string): ValueCodec<T> {
  // With useBigInt64 whole numbers beyond 32 bits are written as float64, so that numbers come back as numbers.
  const encoder = new Encoder({ useBigInt64: true });
  const decoder = new Decoder({ useBigInt64: true });
  return {
    encode(value, timestamp) {
      // One number is the commonest state by far: as eight raw bytes it costs a tenth of a MessagePack encoding.
      if (typeof value === 'number') return numberEntry(value, timestamp);
      const bytes = encoder.encodeSharedRef(value);
      const entry = new Uint8Array(NUMBER_BYTES + 1 + bytes.length);
      writeNumber(entry, 0, timestamp);
      entry[NUMBER_BYTES] = MSGPACK;
      entry.set(bytes, NUMBER_BYTES + 1);
      return entry;
    },
    decode(bytes) {
      if (bytes.length <= NUMBER_BYTES) throw tooShort(store, bytes.length);
      const timestamp = readNumber(bytes, 0);
      const value =
        bytes[NUMBER_BYTES] === FLOAT
          ? new DataView(bytes.buffer, bytes.byteOffset + NUMBER_BYTES + 1, 8).getFloat64(0)
          : decoder.decode(bytes.subarray(NUMBER_BYTES + 1));
      return { timestamp, value: value as T };
    },
  };
}

const MSGPACK = 1;
const FLOAT = 2;

function numberEntry(value: number, timestamp: number): Uint8Array {
  const entry = new Uint8Array(NUMBER_BYTES + 9);
  writeNumber(entry, 0, timestamp);
  entry[NUMBER_BYTES] = FLOAT;
  new DataView(entry.buffer).setFloat64(NUMBER_BYTES + 1, value);
  return entry;
}

function tooShort(store: string, length: number): StoreError {
  return new StoreError('ERR_CORRUPT_STORE', `an entry of store ${store} has only ${length} bytes`, {
    hint: 'the store is damaged: stop the application and reset it, so that it is built again from its topics',
  });
}
