/** Entries in a chunk before it is split. Small enough that an insertion moves little, large enough to keep chunks few. */
const CHUNK = 256;

interface Chunk<T> {
  readonly keys: Uint8Array[];
  readonly values: T[];
}

/** Unsigned byte order, a prefix before what it is a prefix of. Negative, zero or positive as for `Array.sort`. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * A map from bytes to bytes, or to something else, in unsigned byte order: sorted chunks in a sorted list, so that lookup
 * is a binary search and an insertion moves at most a chunk. Keys and values are kept by reference and must not be changed by the caller.
 */
export class OrderedBytes<T = Uint8Array> {
  readonly #chunks: Chunk<T>[] = [];
  #size = 0;
  #version = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): T | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    return found !== undefined && compareBytes(found, key) === 0 ? chunk.values[at] : undefined;
  }

  /** @param own - Makes the key that is kept, where there was none. */
  set(key: Uint8Array, value: T, own: (key: Uint8Array) => Uint8Array = asItIs): void {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push({ keys: [own(key)], values: [value] });
      this.#size++;
      this.#version++;
      return;
    }
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    if (found !== undefined && compareBytes(found, key) === 0) {
      chunk.values[at] = value;
      return;
    }
    insertAt(chunk.keys, at, own(key));
    insertAt(chunk.values, at, value);
    this.#size++;
    this.#version++;
    if (chunk.keys.length > CHUNK) this.#split(index, chunk, at === chunk.keys.length - 1);
  }

  delete(key: Uint8Array): boolean {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    if (found === undefined || compareBytes(found, key) !== 0) return false;
    removeAt(chunk.keys, at);
    removeAt(chunk.values, at);
    if (chunk.keys.length === 0) this.#chunks.splice(index, 1);
    this.#size--;
    this.#version++;
    return true;
  }

  /** Entries with `from <= key < to`. Goes on in order, by key, when entries are added or removed on the way. */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [key: Uint8Array, value: T]> {
    let index = from === undefined ? 0 : this.#chunkFor(from);
    let at = from === undefined ? 0 : lowerBound(this.#chunks[index]?.keys ?? [], from);
    for (;;) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) return;
      const key = chunk.keys[at];
      if (key === undefined) {
        index++;
        at = 0;
        continue;
      }
      if (to !== undefined && compareBytes(key, to) >= 0) return;
      const version = this.#version;
      yield [key, chunk.values[at]!];
      if (version === this.#version) {
        at++;
        continue;
      }
      // Positions have moved: find the place after the key that was delivered last.
      index = this.#chunkFor(key);
      const keys = this.#chunks[index]?.keys ?? [];
      at = lowerBound(keys, key);
      const found = keys[at];
      if (found !== undefined && compareBytes(found, key) === 0) at++;
    }
  }

  /** The last chunk whose first key is not above `key`, or the first chunk. */
  #chunkFor(key: Uint8Array): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.#chunks[middle]!.keys[0]!, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }

  /** Ascending insertion, the usual case, leaves full chunks behind instead of half full ones. */
  #split(index: number, chunk: Chunk<T>, atEnd: boolean): void {
    const from = atEnd ? chunk.keys.length - 1 : chunk.keys.length >>> 1;
    const keys = chunk.keys.splice(from);
    const values = chunk.values.splice(from);
    this.#chunks.splice(index + 1, 0, { keys, values });
  }
}

const asItIs = (key: Uint8Array): Uint8Array => key;

/** Most keys come in ascending order. */
function insertAt<T>(items: T[], at: number, item: T): void {
  if (at === items.length) items.push(item);
  else items.splice(at, 0, item);
}

/** The ends are the usual case: what is stored first is often removed first. */
function removeAt(items: unknown[], at: number): void {
  if (at === 0) items.shift();
  else if (at === items.length - 1) items.pop();
  else items.splice(at, 1);
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
