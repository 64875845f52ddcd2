import type { Distinguishable } from './distinct.ts';

/** Two hashes of 32 bits each. */
export type Hashed = readonly [high: number, low: number];

const SEEDS: Hashed = [0x9747b28c, 0x3c6ef372];
/** Values of different types differ, even if their bits are equal. */
const KINDS = { string: 1, number: 2, boolean: 3, bigint: 4 } as const;

/**
 * Hashes a value, with the same result in every process and on every machine: MurmurHash3 with two seeds, over the
 * UTF-16 code units of a string or the bits of a number.
 */
export function hashOf(value: Distinguishable): Hashed {
  return [hash(value, SEEDS[0]), hash(value, SEEDS[1])];
}

function hash(value: Distinguishable, seed: number): number {
  const kind = KINDS[typeof value as keyof typeof KINDS] ?? 0;
  const start = mixed(seed, kind);
  if (typeof value === 'number') return finished(hashNumber(start, value), 8);
  if (typeof value === 'boolean') return finished(mixed(start, value ? 1 : 0), 4);
  const text = String(value);
  return finished(hashText(start, text), text.length);
}

function hashText(start: number, text: string): number {
  let state = start;
  let at = 0;
  for (; at + 1 < text.length; at += 2) state = mixed(state, text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  return at < text.length ? mixed(state, text.charCodeAt(at)) : state;
}

const BITS = new DataView(new ArrayBuffer(8));

function hashNumber(start: number, value: number): number {
  // 0 and −0 are equal, and NaN is one value.
  BITS.setFloat64(0, value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value);
  return mixed(mixed(start, BITS.getInt32(0)), BITS.getInt32(4));
}

function mixed(state: number, block: number): number {
  let k = Math.imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const next = state ^ Math.imul(k, 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(state: number, length: number): number {
  let h = state ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
