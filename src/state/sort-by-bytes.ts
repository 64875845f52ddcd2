import { compareBytes } from './sorted-keys.ts';

interface Keyed {
  readonly keyBytes: Uint8Array;
}

/** Indices fit below this beside 32 bits of key in the 53 bits of a number. */
const MAX_INDEX = 2 ** 21;
/** Below this a plain sort is as fast. */
const FEW = 32;

/**
 * Sorts by key bytes. Keys mostly begin alike and differ soon after: four bytes behind what all have in common, packed
 * with the position into one number, sort natively and without a call per comparison; only ties are compared byte by byte.
 */
export function sortByBytes<T extends Keyed>(items: T[]): T[] {
  if (items.length < FEW || items.length > MAX_INDEX) return items.sort(byBytes);
  const from = commonPrefix(items);
  const packed = new Float64Array(items.length);
  for (let at = 0; at < items.length; at += 1) packed[at] = fourBytes((items[at] as T).keyBytes, from) * MAX_INDEX + at;
  packed.sort();
  const sorted: T[] = [];
  let tieFrom = 0;
  let tied = -1;
  for (let at = 0; at < packed.length; at += 1) {
    const number = packed[at] as number;
    const bytes = Math.floor(number / MAX_INDEX);
    if (bytes !== tied) {
      sortRange(sorted, tieFrom);
      tieFrom = at;
      tied = bytes;
    }
    sorted.push(items[number - bytes * MAX_INDEX] as T);
  }
  sortRange(sorted, tieFrom);
  return sorted;
}

const byBytes = (left: Keyed, right: Keyed): number => compareBytes(left.keyBytes, right.keyBytes);

/** Sorts what stands at the end of a list. */
function sortRange(items: Keyed[], from: number): void {
  if (items.length - from < 2) return;
  for (const item of items.splice(from).sort(byBytes)) items.push(item);
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

/** Bytes that are missing count as 0: such ties are told apart by comparing. */
function fourBytes(bytes: Uint8Array, from: number): number {
  const byte = (at: number): number => bytes[at] ?? 0;
  return ((byte(from) << 24) | (byte(from + 1) << 16) | (byte(from + 2) << 8) | byte(from + 3)) >>> 0;
}
