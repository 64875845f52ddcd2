import { compareBytes, insertAt, NEAR_END, removeAt, SortedKeys } from './sorted-keys.ts';

/**
 * How many entries a chunk has before it is split. Small enough that an insertion moves little, large enough to keep
 * chunks few.
 */
const CHUNK = 256;

interface Chunk<T> {
  readonly keys: SortedKeys;
  readonly values: T[];
}

/**
 * A map from bytes to bytes or other values, in unsigned byte order: sorted chunks in a sorted list, so that a look-up
 * is a binary search and an insertion moves at most a chunk. Keys and values are kept by reference, so the caller must
 * not modify them.
 */
export class OrderedBytes<T = Uint8Array> {
  readonly #chunks: Chunk<T>[] = [];
  /** The first key of each chunk. */
  readonly #firsts = new SortedKeys();
  #size = 0;
  #version = 0;
  /** The chunk that was found last. What is asked for next often lies there too. */
  #recent = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): T | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (chunk === undefined) return undefined;
    const at = chunk.keys.lowerBound(key);
    return chunk.keys.holds(at, key) ? chunk.values[at] : undefined;
  }

  /** @param own - Makes the key to keep, if the key is new. */
  set(key: Uint8Array, value: T, own: (key: Uint8Array) => Uint8Array = asItIs): void {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    const at = chunk === undefined ? 0 : chunk.keys.lowerBound(key);
    if (chunk?.keys.holds(at, key) === true) chunk.values[at] = value;
    else this.#insert(index, at, own(key), value);
  }

  /** The value of a key. It is made, and set, where there is none. */
  ensure(key: Uint8Array, make: (key: Uint8Array) => T): T {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    const at = chunk === undefined ? 0 : chunk.keys.lowerBound(key);
    if (chunk?.keys.holds(at, key) === true) return chunk.values[at]!;
    const value = make(key);
    this.#insert(index, at, key, value);
    return value;
  }

  /** Gives an entry another key where that leaves the order as it is. @returns Whether it has. */
  rekey(from: Uint8Array, to: Uint8Array): boolean {
    const index = this.#chunkFor(from);
    const chunk = this.#chunks[index];
    const at = chunk === undefined ? 0 : chunk.keys.lowerBound(from);
    if (chunk?.keys.holds(at, from) !== true) return false;
    const { keys } = chunk.keys;
    const next = keys[at + 1] ?? this.#firsts.keys[index + 1];
    if (next !== undefined && compareBytes(to, next) >= 0) return false;
    if (compareBytes(to, from) < 0 && (at === 0 || compareBytes(to, keys[at - 1]!) <= 0)) return false;
    chunk.keys.replace(at, to);
    if (at === 0) this.#firsts.replace(index, to);
    this.#version++;
    return true;
  }

  delete(key: Uint8Array): boolean {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = chunk.keys.lowerBound(key);
    if (!chunk.keys.holds(at, key)) return false;
    chunk.keys.remove(at);
    removeAt(chunk.values, at);
    if (chunk.keys.length === 0) {
      removeAt(this.#chunks, index);
      this.#firsts.remove(index);
    } else if (at === 0) this.#firsts.replace(index, chunk.keys.keys[0]!);
    this.#size--;
    this.#version++;
    return true;
  }

  /** The first values with `from <= key < to` that pass, at most so many: for few that are looked at again and again. */
  list(from: Uint8Array, to: Uint8Array, most: number, passes: (value: T) => boolean): T[] {
    const found: T[] = [];
    let index = this.#chunkFor(from);
    let chunk = this.#chunks[index];
    let at = chunk === undefined ? 0 : chunk.keys.lowerBound(from);
    while (chunk !== undefined && found.length < most) {
      const key = chunk.keys.keys[at];
      if (key === undefined) {
        index++;
        at = 0;
        chunk = this.#chunks[index];
        continue;
      }
      if (compareBytes(key, to) >= 0) return found;
      const value = chunk.values[at]!;
      if (passes(value)) found.push(value);
      at++;
    }
    return found;
  }

  /** Entries with `from <= key < to`. It stays in key order if entries are added or removed during the iteration. */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [key: Uint8Array, value: T]> {
    let index = from === undefined ? 0 : this.#chunkFor(from);
    let at = from === undefined ? 0 : (this.#chunks[index]?.keys.lowerBound(from) ?? 0);
    for (;;) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) return;
      const key = chunk.keys.keys[at];
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
      // Positions have moved: find the place after the last delivered key.
      index = this.#chunkFor(key);
      const keys = this.#chunks[index]?.keys;
      at = keys?.lowerBound(key) ?? 0;
      if (keys?.holds(at, key) === true) at++;
    }
  }

  /** The last chunk whose first key is not above `key`, or the first chunk. */
  #chunkFor(key: Uint8Array): number {
    const { keys } = this.#firsts;
    const recent = this.#recent;
    const first = keys[recent];
    if (first !== undefined && compareBytes(first, key) <= 0) {
      const next = keys[recent + 1];
      if (next === undefined || compareBytes(key, next) < 0) return recent;
    }
    const at = this.#firsts.lowerBound(key);
    this.#recent = at === 0 || this.#firsts.holds(at, key) ? at : at - 1;
    return this.#recent;
  }

  #insert(index: number, at: number, key: Uint8Array, value: T): void {
    this.#size++;
    this.#version++;
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      const keys = new SortedKeys();
      keys.insert(0, key);
      this.#chunks.push({ keys, values: [value] });
      this.#firsts.insert(0, key);
      return;
    }
    chunk.keys.insert(at, key);
    insertAt(chunk.values, at, value);
    if (at === 0) this.#firsts.replace(index, key);
    if (chunk.keys.length > CHUNK) this.#split(index, chunk, at);
  }

  /** Ascending insertion, the usual case, produces full chunks instead of half-full ones. */
  #split(index: number, chunk: Chunk<T>, at: number): void {
    const { length } = chunk.keys;
    const from = length - at <= NEAR_END ? at : length >>> 1;
    const keys = chunk.keys.splitFrom(from);
    const values = chunk.values.splice(from);
    this.#chunks.splice(index + 1, 0, { keys, values });
    this.#firsts.insert(index + 1, keys.keys[0]!);
  }
}

const asItIs = (key: Uint8Array): Uint8Array => key;
