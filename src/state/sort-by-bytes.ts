import { compareBytes } from './sorted-keys.ts';

interface Keyed {
  readonly keyBytes: Uint8Array;
}

/** Indices below this fit into the 53 bits of a number, together with 32 bits of the key. */
const MAX_INDEX = 2 ** 21;
/** Below this a plain sort is as fast. */
const FEW = 32;

/**
 * Sorts by key bytes. Most keys share a prefix and differ soon after it. The four bytes after the common prefix, packed
 * with the index into one number, sort natively and without a call per comparison. A large group of ties is sorted the
 * same way by the bytes that follow; a small one is compared byte by byte.
 */
export function sortByBytes<T extends Keyed>(items: T[]): T[] {
  return sortBehind(items, -1);
}

/** @param sorted - Length up to which the keys are already known to be equal, ignoring missing bytes. */
function sortBehind<T extends Keyed>(items: T[], sorted: number): T[] {
  if (items.length < FEW || items.length > MAX_INDEX) return items.sort(byBytes);
  const from = commonPrefix(items);
  // Some keys end where others have zeros, so they would remain tied forever.
  if (from < sorted) return items.sort(byBytes);
  const packed = new Float64Array(items.length);
  for (let at = 0; at < items.length; at += 1) packed[at] = fourBytes((items[at] as T).keyBytes, from) * MAX_INDEX + at;
  packed.sort();
  const all: T[] = [];
  let tieFrom = 0;
  let tied = -1;
  for (let at = 0; at < packed.length; at += 1) {
    const number = packed[at] as number;
    const bytes = Math.floor(number / MAX_INDEX);
    if (bytes !== tied) {
      sortRange(all, tieFrom, from + 4);
      tieFrom = at;
      tied = bytes;
    }
    all.push(items[number - bytes * MAX_INDEX] as T);
  }
  sortRange(all, tieFrom, from + 4);
  return all;
}

const byBytes = (left: Keyed, right: Keyed): number => compareBytes(left.keyBytes, right.keyBytes);

/** Sorts the end of a list. */
function sortRange(items: Keyed[], from: number, sorted: number): void {
  if (items.length - from < 2) return;
  for (const item of sortBehind(items.splice(from), sorted)) items.push(item);
}

function commonPrefix(items: readonly Keyed[]): number {
  const [first] = items as readonly [Keyed];
  let length = first.keyBytes.length;
  for (const { keyBytes } of items) {
    let at = 0;
    while (at < length && keyBytes[at] === first.keyBytes[at]) at += 1;
    length = at;
  }
  return length;
}

/** Missing bytes count as 0: such ties are resolved by comparing. */
function fourBytes(bytes: Uint8Array, from: number): number {
  const byte = (at: number): number => bytes[at] ?? 0;
  return ((byte(from) << 24) | (byte(from + 1) << 16) | (byte(from + 2) << 8) | byte(from + 3)) >>> 0;
}
