import type { Hashed } from './hash-values.ts';

/**
 * Registers of a HyperLogLog as they are stored, never changed in place. The first byte gives the form. The sparse form
 * has entries of three bytes, `[index, 2 bytes][rank]`, sorted by index; it is used while it is smaller than the dense
 * form, which has one byte for each register.
 */
export type Registers = Uint8Array;

const FEW = 0;
const ALL = 1;
const ENTRY = 3;
const HASH_BITS = 64;

export const NO_REGISTERS: Registers = Uint8Array.of(FEW);

/** @param bits - Base-2 logarithm of the number of registers. */
export function withHash(registers: Registers, bits: number, [high, low]: Hashed): Registers {
  const index = high >>> (32 - bits);
  return withRank(registers, bits, index, rankOf(high, low, bits));
}

/** One more than the number of leading zeros of the rest of the hash. */
function rankOf(high: number, low: number, bits: number): number {
  const rest = (high << bits) >>> 0;
  if (rest !== 0) return Math.clz32(rest) + 1;
  return 32 - bits + Math.clz32(low) + 1;
}

function withRank(registers: Registers, bits: number, index: number, rank: number): Registers {
  if (registers[0] === ALL) {
    if ((registers[1 + index] as number) >= rank) return registers;
    const next = registers.slice();
    next[1 + index] = rank;
    return next;
  }
  const at = placeOf(registers, index);
  const known = indexAt(registers, at) === index;
  if (known && (registers[at + 2] as number) >= rank) return registers;
  if (known) {
    const next = registers.slice();
    next[at + 2] = rank;
    return next;
  }
  if (registers.length + ENTRY > 2 ** bits) return withRank(allOf(registers, bits), bits, index, rank);
  const next = new Uint8Array(registers.length + ENTRY);
  next.set(registers.subarray(0, at));
  next.set([index >>> 8, index & 0xff, rank], at);
  next.set(registers.subarray(at), at + ENTRY);
  return next;
}

/** The place of the first entry whose index is not lower. */
function placeOf(registers: Registers, index: number): number {
  let low = 0;
  let high = (registers.length - 1) / ENTRY;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((indexAt(registers, 1 + middle * ENTRY) as number) < index) low = middle + 1;
    else high = middle;
  }
  return 1 + low * ENTRY;
}

function indexAt(registers: Registers, at: number): number | undefined {
  return at < registers.length ? ((registers[at] as number) << 8) | (registers[at + 1] as number) : undefined;
}

function allOf(registers: Registers, bits: number): Registers {
  const all = new Uint8Array(1 + 2 ** bits);
  all[0] = ALL;
  for (const [index, rank] of entriesOf(registers)) all[1 + index] = rank;
  return all;
}

function* entriesOf(registers: Registers): Generator<readonly [index: number, rank: number]> {
  if (registers[0] === ALL) {
    for (let at = 1; at < registers.length; at += 1) {
      const rank = registers[at] as number;
      if (rank > 0) yield [at - 1, rank];
    }
    return;
  }
  for (let at = 1; at < registers.length; at += ENTRY) {
    yield [indexAt(registers, at) as number, registers[at + 2] as number];
  }
}

/** The registers of all values that either has seen. */
export function bothOf(left: Registers, right: Registers, bits: number): Registers {
  if (right[0] === ALL && left[0] !== ALL) return bothOf(right, left, bits);
  let both = left;
  for (const [index, rank] of entriesOf(right)) both = withRank(both, bits, index, rank);
  return both;
}

/** The number of distinct hashes seen, by Ertl's estimator, which needs no tables and is unbiased for small numbers. */
export function estimate(registers: Registers, bits: number): number {
  const count = 2 ** bits;
  const most = HASH_BITS - bits;
  const ranks = new Float64Array(most + 2);
  let seen = 0;
  for (const [, rank] of entriesOf(registers)) {
    ranks[rank] = (ranks[rank] as number) + 1;
    seen += 1;
  }
  let sum = count * tau(1 - (ranks[most + 1] as number) / count);
  for (let rank = most; rank >= 1; rank -= 1) sum = 0.5 * (sum + (ranks[rank] as number));
  sum += count * sigma((count - seen) / count);
  return Math.round((count * count) / (2 * Math.LN2 * sum));
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let [power, factor, sum, before] = [share, 1, share, -1];
  while (sum !== before) {
    power *= power;
    before = sum;
    sum += power * factor;
    factor += factor;
  }
  return sum;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [root, factor, sum, before] = [share, 1, 1 - share, -1];
  while (sum !== before) {
    root = Math.sqrt(root);
    before = sum;
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
