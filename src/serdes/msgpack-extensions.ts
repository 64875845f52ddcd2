import {
  decodeTimestampToTimeSpec,
  ExtData,
  type ExtensionCodecType,
  encodeDateToTimeSpec,
  encodeTimeSpecToTimestamp,
} from '@msgpack/msgpack';
import { EXT_BIGINT, EXT_TIMESTAMP, EXT_TYPED_ARRAY, EXT_UINT64 } from './msgpack-scan.ts';
import { typeName } from './refusal.ts';
import { decodeTypedArray, encodeTypedArray, isTypedArray } from './typed-array.ts';

/** Header size of an extension whose data the library gets from a function: type byte 0xc9 and a length of 4 bytes. */
const LONG_HEADER = 6;

function isSafe(value: bigint): boolean {
  return value >= -9007199254740991n && value <= 9007199254740991n;
}

function eightBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value));
  return bytes;
}

function toDate(data: Uint8Array): Date {
  const { sec, nsec } = decodeTimestampToTimeSpec(data);
  const date = new Date(sec * 1000 + Math.floor(nsec / 1e6));
  if (nsec > 999_999_999 || Number.isNaN(date.getTime())) throw new RangeError('a timestamp outside of the calendar');
  return date;
}

/**
 * Types for which MessagePack has no format of its own. The messages of its errors complete the sentence "msgpack
 * cannot write …".
 *
 * A big integer is first written as an extension, because the library's own bigint mode would write each large number
 * as a float; {@link bigAt} then has the positions at which to turn it into a plain integer.
 */
export class Extensions implements ExtensionCodecType<undefined> {
  /** Positions of big integers in the buffer being written. */
  bigAt: number[] = [];

  tryToEncode(value: unknown): ExtData | null {
    if (typeof value === 'bigint') return this.#bigint(value);
    if (typeof value !== 'object' || value === null) throw new TypeError(typeName(value));
    if (Array.isArray(value) || value instanceof Uint8Array) return null;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      if (value instanceof Date) {
        if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date');
        return new ExtData(EXT_TIMESTAMP, encodeTimeSpecToTimestamp(encodeDateToTimeSpec(value)));
      }
      if (isTypedArray(value)) return new ExtData(EXT_TYPED_ARRAY, encodeTypedArray(value));
      // Map, Set, Error, RegExp, ArrayBuffer and similar objects keep their contents internally and would be written as
      // empty.
      if (Object.prototype.toString.call(value) !== '[object Object]') throw new TypeError(typeName(value));
    }
    if (Object.hasOwn(value, '__proto__')) throw new TypeError('the unsafe key __proto__');
    return null;
  }

  decode(data: Uint8Array, type: number): unknown {
    if (type === EXT_TIMESTAMP) return toDate(data);
    if (type === EXT_TYPED_ARRAY) return decodeTypedArray(data);
    if (data.length !== 8) throw new RangeError('a bigint of other than 8 bytes');
    const view = new DataView(data.buffer, data.byteOffset, 8);
    return type === EXT_UINT64 ? view.getBigUint64(0) : view.getBigInt64(0);
  }

  #bigint(value: bigint): ExtData {
    const fits = BigInt.asIntN(64, value) === value;
    if (!fits && BigInt.asUintN(64, value) !== value) throw new TypeError('a bigint of more than 64 bits');
    const data = eightBytes(value);
    if (isSafe(value)) return new ExtData(EXT_BIGINT, data);
    return new ExtData(value < 0n ? EXT_BIGINT : EXT_UINT64, (dataAt) => {
      this.bigAt.push(dataAt - LONG_HEADER);
      return data;
    });
  }
}

/** Turns the extensions at `bigAt` into plain int 64 and uint 64. */
export function compact(bytes: Uint8Array, bigAt: readonly number[]): Uint8Array {
  const out = new Uint8Array(bytes.length - 5 * bigAt.length);
  let from = 0;
  let to = 0;
  for (const at of bigAt) {
    out.set(bytes.subarray(from, at), to);
    to += at - from;
    out[to] = bytes[at + LONG_HEADER - 1] === EXT_UINT64 ? 0xcf : 0xd3;
    out.set(bytes.subarray(at + LONG_HEADER, at + LONG_HEADER + 8), to + 1);
    to += 9;
    from = at + LONG_HEADER + 8;
  }
  out.set(bytes.subarray(from), to);
  return out;
}

/** Turns the plain int 64 and uint 64 at `bigAt` into extensions, which the library reads without rounding. */
export function expand(bytes: Uint8Array, start: number, end: number, bigAt: readonly number[]): Uint8Array {
  const out = new Uint8Array(end - start + bigAt.length);
  let from = start;
  let to = 0;
  for (const at of bigAt) {
    out.set(bytes.subarray(from, at), to);
    to += at - from;
    out[to++] = 0xd7;
    out[to++] = bytes[at] === 0xcf ? EXT_UINT64 : EXT_BIGINT;
    from = at + 1;
  }
  out.set(bytes.subarray(from, end), to);
  return out;
}
