import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';
import { decodeUtf8, encodeUtf8, isWellFormed } from './text.ts';

function toText(value: string): string {
  if (typeof value !== 'string') throw encodeError('string', typeName(value));
  if (!isWellFormed(value)) {
    throw encodeError('string', 'a lone surrogate, which UTF-8 cannot say', 'cut texts between characters');
  }
  return value;
}

function decodeRange(bytes: Uint8Array, start: number, end: number): string {
  const text = decodeUtf8(bytes, start, end);
  if (text === undefined) throw decodeError('string', 'malformed UTF-8', bytes, start, end);
  return text;
}

const STRING: Serde<string> = Object.freeze({
  name: 'string',
  keysByValue: true,
  serialize: (value: string) => encodeUtf8(toText(value)),
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  toText,
  decodeRange,
});

/**
 * Text as raw UTF-8, without length or quotes, as Kafka's StringSerializer writes it, so keys go to the same partition
 * whichever client wrote them. A leading byte order mark is part of the text.
 *
 * @returns A serde that refuses malformed UTF-8 on reading (`ERR_DECODE`) and lone surrogates on writing (`ERR_ENCODE`).
 *
 * @example
 * ```ts
 * import { string } from 'millrace';
 *
 * const bytes = string().serialize('häuser');
 * console.log(bytes.length, string().deserialize(bytes));
 * // => 7 häuser
 * ```
 * @public
 */
export function string(): Serde<string> {
  return STRING;
}
