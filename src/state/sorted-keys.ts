/** This many bytes fit into a number without loss. */
const HEAD_BYTES = 6;

/**
 * Unsigned byte order, a prefix before what it is a prefix of. Negative, zero or positive as for `Array.sort`.
 *
 * @param from - So many bytes of both are the same.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array, from: number = 0): number {
  const length = a.length < b.length ? a.length : b.length;
  for (let i = from; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * Keys in unsigned byte order. The common prefix is skipped, and the next six bytes of each key are kept as a number: a
 * search mostly compares adjacent numbers and reads few keys.
 */
export class SortedKeys {
  readonly keys: Uint8Array[] = [];
  readonly #heads: number[] = [];
  /** Length of the common prefix of all keys, or less. */
  #skip = 0;

  get length(): number {
    return this.keys.length;
  }

  /** Index of the first key that is not below `key`. */
  lowerBound(key: Uint8Array): number {
    const { keys } = this;
    const heads = this.#heads;
    if (keys.length === 0) return 0;
    const side = this.#beside(key);
    if (side !== 0) return side < 0 ? 0 : keys.length;
    const skip = this.#skip;
    const head = headOf(key, skip);
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = heads[middle]! - head;
      if (difference < 0 || (difference === 0 && compareBytes(keys[middle]!, key, skip) < 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether the key at a place is this one. */
  holds(at: number, key: Uint8Array): boolean {
    const found = this.keys[at];
    return found !== undefined && compareBytes(found, key) === 0;
  }

  /** @param at - Its place in the order. */
  insert(at: number, key: Uint8Array): void {
    this.#admit(key);
    insertAt(this.keys, at, key);
    insertAt(this.#heads, at, headOf(key, this.#skip));
  }

  /** Replaces a key by another one with the same place in the order. */
  replace(at: number, key: Uint8Array): void {
    this.#admit(key);
    this.keys[at] = key;
    this.#heads[at] = headOf(key, this.#skip);
  }

  remove(at: number): void {
    removeAt(this.keys, at);
    removeAt(this.#heads, at);
  }

  /** Removes and returns the keys from a place on. */
  splitFrom(at: number): SortedKeys {
    const other = new SortedKeys();
    for (const key of this.keys.splice(at)) other.keys.push(key);
    other.#count();
    this.#count();
    return other;
  }

  /** Negative if a key comes before all, positive if it comes after all, judged by the common prefix. */
  #beside(key: Uint8Array): number {
    const first = this.keys[0]!;
    const skip = this.#skip;
    for (let at = 0; at < skip; at += 1) {
      if (at >= key.length) return -1;
      const difference = key[at]! - first[at]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  /** Prepares for a new key that may share less of the prefix. */
  #admit(key: Uint8Array): void {
    const first = this.keys[0];
    if (first === undefined) {
      this.#skip = Math.max(0, key.length - HEAD_BYTES);
      return;
    }
    const common = commonBytes(first, key, this.#skip);
    if (common === this.#skip) return;
    this.#skip = common;
    this.#fill();
  }

  /** Recomputes the common prefix. */
  #count(): void {
    const [first] = this.keys;
    const last = this.keys.at(-1);
    this.#skip = first === undefined || last === undefined ? 0 : commonBytes(first, last, first.length);
    this.#fill();
  }

  #fill(): void {
    const heads = this.#heads;
    heads.length = this.keys.length;
    for (let at = 0; at < heads.length; at += 1) heads[at] = headOf(this.keys[at]!, this.#skip);
  }
}

/** Bytes from a place on as one number; missing bytes count as zero. */
function headOf(key: Uint8Array, from: number): number {
  let head = 0;
  const end = from + HEAD_BYTES;
  for (let at = from; at < end; at += 1) head = head * 256 + (at < key.length ? key[at]! : 0);
  return head;
}

function commonBytes(a: Uint8Array, b: Uint8Array, most: number): number {
  const length = Math.min(a.length, b.length, most);
  let at = 0;
  while (at < length && a[at] === b[at]) at += 1;
  return at;
}

/**
 * So far from the end of a list an insertion still counts as ascending: a few keys come after all others, such as that of
 * the time of a step.
 */
export const NEAR_END = 4;

/** Optimised for ascending insertion, the usual case. */
export function insertAt<T>(items: T[], at: number, item: T): void {
  const { length } = items;
  if (length - at > NEAR_END) {
    items.splice(at, 0, item);
    return;
  }
  items.push(item);
  for (let i = length; i > at; i--) items[i] = items[i - 1]!;
  items[at] = item;
}

/** Optimised for both ends: entries stored first are often removed first. */
export function removeAt(items: unknown[], at: number): void {
  if (at === 0) items.shift();
  else if (at === items.length - 1) items.pop();
  else items.splice(at, 1);
}
