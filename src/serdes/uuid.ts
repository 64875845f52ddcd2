import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';

const UUID_SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function toText(value: string): string {
  if (typeof value !== 'string') throw encodeError('uuid', typeName(value));
  if (UUID_SHAPE.test(value)) return value;
  const lower = value.toLowerCase();
  if (!UUID_SHAPE.test(lower)) {
    throw encodeError('uuid', 'a text that is not a UUID', 'give 36 characters such as crypto.randomUUID() makes');
  }
  return lower;
}

function decodeRange(bytes: Uint8Array, start: number, end: number): string {
  const text = end - start === 36 ? decodeUtf8(bytes, start, end) : undefined;
  if (text !== undefined) {
    if (UUID_SHAPE.test(text)) return text;
    const lower = text.toLowerCase();
    if (UUID_SHAPE.test(lower)) return lower;
  }
  throw decodeError('uuid', 'bytes that are not a UUID of 36 characters', bytes, start, end);
}

const UUID: Serde<string> = Object.freeze({
  name: 'uuid',
  serialize: (value: string) => encodeUtf8(toText(value)),
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  toText,
  decodeRange,
});

/**
 * A UUID as its 36 characters in UTF-8, as Kafka's UUIDSerializer writes it (not the 16 raw bytes). Any version and
 * variant is accepted. Upper case is accepted too and becomes lower case in both directions, so that equal UUIDs are
 * equal keys.
 *
 * @returns A serde for UUIDs as lower-case text. Anything else fails with `ERR_ENCODE` or `ERR_DECODE`.
 *
 * @example
 * ```ts
 * import { uuid } from 'millrace';
 *
 * const bytes = uuid().serialize('6F1ED002-AB59-4D5A-9C0E-5B2B2F1F0A3C');
 * console.log(bytes.length, uuid().deserialize(bytes));
 * // => 36 6f1ed002-ab59-4d5a-9c0e-5b2b2f1f0a3c
 * ```
 * @public
 */
export function uuid(): Serde<string> {
  return UUID;
}
