import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import { timedParts, timedPrefix } from './timed-keys.ts';

/**
 * The spans of keys are at `[1][key][first number][second number]`, the index of when to check keys at
 * `[2][time][key]`.
 */
const SPANS = 1;
const DUE = 2;

/** After all spans and before the index. */
export const SPANS_END: Uint8Array = Uint8Array.of(DUE);
/** After the index. */
export const DUE_END: Uint8Array = Uint8Array.of(DUE + 1);

/** The common prefix of the spans of one key. */
export function spansOf(key: Uint8Array): Uint8Array {
  const own = timedPrefix(key);
  const bytes = new Uint8Array(1 + own.length);
  bytes[0] = SPANS;
  bytes.set(own, 1);
  return bytes;
}

/** The store key of the span with these numbers. */
export function spanKey(own: Uint8Array, first: number, second: number = 0): Uint8Array {
  const bytes = new Uint8Array(own.length + 2 * NUMBER_BYTES);
  bytes.set(own);
  writeNumber(bytes, own.length, first);
  writeNumber(bytes, own.length + NUMBER_BYTES, second);
  return bytes;
}

/** A bound after all spans of a key: numbers are below 2^53. */
export function spansEnd(own: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(own.length + 1);
  bytes.set(own);
  bytes[own.length] = 0xff;
  return bytes;
}

/** The numbers of a span. */
export function numbersOf(span: Uint8Array): readonly [first: number, second: number] {
  return [readNumber(span, span.length - 2 * NUMBER_BYTES), readNumber(span, span.length - NUMBER_BYTES)];
}

/** The bytes of the key that a span belongs to. */
export function keyOfSpan(span: Uint8Array): Uint8Array {
  return timedParts(span.subarray(1)).key;
}

export function dueKey(time: number, key?: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + NUMBER_BYTES + (key?.length ?? 0));
  bytes[0] = DUE;
  writeNumber(bytes, 1, time);
  if (key !== undefined) bytes.set(key, 1 + NUMBER_BYTES);
  return bytes;
}

export function dueTime(due: Uint8Array): number {
  return readNumber(due, 1);
}

export function keyOfDue(due: Uint8Array): Uint8Array {
  return due.slice(1 + NUMBER_BYTES);
}
