import { Decoder, Encoder } from '@msgpack/msgpack';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { MAX_DEPTH } from './json-guard.ts';
import { compact, Extensions, expand } from './msgpack-extensions.ts';
import { HAS_BIG_INTEGER, HAS_BINARY, scan } from './msgpack-scan.ts';
import { decodeError, encodeError, typeName } from './refusal.ts';
import { type SchemaFormat, type SchemaOptions, schemaWriter, validator } from './schema.ts';
import type { Serde } from './serde.ts';
import { isWellFormed } from './text.ts';

/**
 * Whether bytes may contain what the library writes for a lone surrogate. This is rare, and the value is then
 * inspected.
 */
function mayHoldLoneSurrogate(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length - 2; i++) {
    const byte = bytes[i]!;
    if (byte < 0xed) continue;
    if (byte === 0xed && bytes[i + 1]! >= 0xa0) return true;
    if (byte === 0xef && bytes[i + 1] === 0xbf && bytes[i + 2] === 0xbd) return true;
  }
  return false;
}

function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return !isWellFormed(value);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (Array.isArray(value)) return value.some(hasLoneSurrogate);
  return Object.entries(value).some(([key, part]) => !isWellFormed(key) || hasLoneSurrogate(part));
}

/** One encoder and one decoder, used for every record. */
class Codec {
  readonly #extensions = new Extensions();
  readonly #encoder = new Encoder({ extensionCodec: this.#extensions, ignoreUndefined: true, maxDepth: MAX_DEPTH });
  readonly #decoder = new Decoder({ extensionCodec: this.#extensions });

  write(value: unknown): Uint8Array {
    if (value === undefined || value === null) throw encodeError('msgpack', typeName(value));
    const extensions = this.#extensions;
    // A getter of the value may use this serde too: its positions must not mix with these.
    const outer = extensions.bigAt;
    extensions.bigAt = outer.length === 0 ? outer : [];
    let bytes: Uint8Array;
    let bigAt: number[];
    try {
      bytes = this.#encoder.encode(value);
    } catch (cause) {
      extensions.bigAt.length = 0;
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw encodeError(
        'msgpack',
        problem,
        'give plain objects, arrays, texts, numbers, bigints, Dates, typed arrays',
        cause,
      );
    } finally {
      bigAt = extensions.bigAt;
      extensions.bigAt = outer;
    }
    if (bigAt.length > 0) {
      bytes = compact(bytes, bigAt);
      bigAt.length = 0;
    }
    if (mayHoldLoneSurrogate(bytes) && hasLoneSurrogate(value)) {
      throw encodeError('msgpack', 'a lone surrogate, which UTF-8 cannot say', 'cut texts between characters');
    }
    return bytes;
  }

  read(bytes: Uint8Array, start: number, end: number): NonNullable<unknown> {
    const found = scan(bytes, start, end);
    let own: Uint8Array;
    if ((found & HAS_BIG_INTEGER) !== 0) {
      const bigAt: number[] = [];
      scan(bytes, start, end, bigAt);
      own = expand(bytes, start, end, bigAt);
    } else if ((found & HAS_BINARY) !== 0) {
      // Otherwise binary data would be views of bytes that may be reused.
      own = new Uint8Array(bytes.subarray(start, end));
    } else own = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
    let value: unknown;
    try {
      value = this.#decoder.decode(own);
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause);
      throw decodeError('msgpack', problem, bytes, start, end, cause);
    }
    if (value === null || value === undefined) {
      throw decodeError('msgpack', 'the value nil, since a tombstone has no bytes', bytes, start, end);
    }
    return value;
  }
}

/**
 * MessagePack with an unchecked type. Give a schema if you do not control the producer.
 *
 * @typeParam T - What the program expects to read.
 * @public
 */
export function msgpack<T = unknown>(): Serde<T>;
/**
 * MessagePack, validated by any Standard Schema (zod, valibot, arktype, …). Values are validated when they are read,
 * and read back before they are written. The program sees the schema's output. If the schema does not accept its own
 * output, give `{ encode }`.
 *
 * | in the program | in MessagePack |
 * |---|---|
 * | safe integer, other number | the shortest int, float 64 (−0 is written as 0) |
 * | bigint outside ±(2^53 − 1) | int 64 when negative, else uint 64; more than 64 bits are refused |
 * | bigint inside | extension 1: int 64 big-endian, so that `5n` is read as `5n` and not as `5` |
 * | `Uint8Array` | bin (read as a copy) |
 * | other typed arrays | extension 2: a byte for the kind (0 Int8, 1 Uint8Clamped, 2 Int16, 3 Uint16, 4 Int32, 5 Uint32, 6 Float32, 7 Float64, 8 BigInt64, 9 BigUint64), then the elements, little-endian |
 * | `Date` | extension −1, the timestamp of the MessagePack specification; read down to the millisecond |
 * | array, plain object or class instance | array, map of own properties; undefined properties are left out, undefined elements become nil |
 *
 * A plain int 64 or uint 64 from another client is read as a number if that is exact, otherwise as a bigint. Integer
 * keys are read as property names.
 *
 * Writing fails with `ERR_ENCODE` for null and undefined, functions, symbols, `Map`, `Set`, `ArrayBuffer`, `DataView`,
 * errors, invalid dates, lone surrogates, the key `__proto__`, cycles. Reading fails with `ERR_DECODE` for truncated
 * and trailing bytes, lengths beyond the payload (before anything is allocated), malformed UTF-8, unknown extensions,
 * the key `__proto__`, keys that are neither strings nor integers, and nil as the whole value. Both refuse more than
 * 100 levels of nesting. If the schema finds issues, reading fails with `ERR_VALIDATION`.
 *
 * @param schema - Describes the values; its output type is the serde's type.
 * @param options - How to convert values back for writing, and whether to validate written values.
 * @throws ConfigError `ERR_ASYNC_SCHEMA` at the first value, if the schema validates asynchronously.
 *
 * @example
 * ```ts
 * import { msgpack } from 'millrace';
 *
 * const reading = msgpack<{ at: Date; id: bigint }>();
 * const bytes = reading.serialize({ at: new Date(0), id: 5n });
 * console.log(bytes.length, reading.deserialize(bytes).id === 5n);
 * // => 23 true
 * ```
 * @public
 */
export function msgpack<S extends StandardSchemaV1>(
  schema: S,
  options?: SchemaOptions<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>,
): Serde<StandardSchemaV1.InferOutput<S>>;
export function msgpack(schema?: StandardSchemaV1, options: SchemaOptions = {}): Serde<unknown> {
  const codec = new Codec();
  const validate = schema === undefined ? undefined : validator(schema, 'msgpack');
  const format: SchemaFormat<Uint8Array> = {
    name: 'msgpack',
    write: (value) => codec.write(value),
    read: (bytes) => codec.read(bytes, 0, bytes.length),
    same: (left, right) => left.length === right.length && left.every((byte, at) => byte === right[at]),
  };
  const write = validate === undefined ? format.write : schemaWriter(validate, options, format);
  const decodeRange = (bytes: Uint8Array, start: number, end: number): NonNullable<unknown> => {
    const value = codec.read(bytes, start, end);
    return validate === undefined ? value : validate(value);
  };
  return {
    name: 'msgpack',
    keysByValue: options.encode === undefined,
    serialize: write,
    deserialize: (bytes) => decodeRange(bytes, 0, bytes.length),
    decodeRange,
  };
}
