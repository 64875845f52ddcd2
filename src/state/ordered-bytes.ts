import { compareBytes, insertAt, removeAt, SortedKeys } from './sorted-keys.ts';

/** Entries in a chunk before it is split. Small enough that an insertion moves little, large enough to keep chunks few. */
const CHUNK = 256;

interface Chunk<T> {
  readonly keys: SortedKeys;
  readonly values: T[];
}

/**
 * A map from bytes to bytes, or to something else, in unsigned byte order: sorted chunks in a sorted list, so that lookup
 * is a binary search and an insertion moves at most a chunk. Keys and values are kept by reference and must not be changed by the caller.
 */
export class OrderedBytes<T = Uint8Array> {
  readonly #chunks: Chunk<T>[] = [];
  /** The first key of each chunk. */
  readonly #firsts = new SortedKeys();
  #size = 0;
  #version = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): T | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (chunk === undefined) return undefined;
    const at = chunk.keys.lowerBound(key);
    return chunk.keys.holds(at, key) ? chunk.values[at] : undefined;
  }

  /** @param own - Makes the key that is kept, where there was none. */
  set(key: Uint8Array, value: T, own: (key: Uint8Array) => Uint8Array = asItIs): void {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      const keys = new SortedKeys();
      const kept = own(key);
      keys.insert(0, kept);
      this.#chunks.push({ keys, values: [value] });
      this.#firsts.insert(0, kept);
      this.#size++;
      this.#version++;
      return;
    }
    const at = chunk.keys.lowerBound(key);
    if (chunk.keys.holds(at, key)) {
      chunk.values[at] = value;
      return;
    }
    const kept = own(key);
    chunk.keys.insert(at, kept);
    insertAt(chunk.values, at, value);
    if (at === 0) this.#firsts.replace(index, kept);
    this.#size++;
    this.#version++;
    if (chunk.keys.length > CHUNK) this.#split(index, chunk, at === chunk.keys.length - 1);
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

  /** Entries with `from <= key < to`. Goes on in order, by key, when entries are added or removed on the way. */
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
      // Positions have moved: find the place after the key that was delivered last.
      index = this.#chunkFor(key);
      const keys = this.#chunks[index]?.keys;
      at = keys?.lowerBound(key) ?? 0;
      if (keys?.holds(at, key) === true) at++;
    }
  }

  /** The last chunk whose first key is not above `key`, or the first chunk. */
  #chunkFor(key: Uint8Array): number {
    const at = this.#firsts.lowerBound(key);
    return at === 0 || this.#firsts.holds(at, key) ? at : at - 1;
  }

  /** Ascending insertion, the usual case, leaves full chunks behind instead of half full ones. */
  #split(index: number, chunk: Chunk<T>, atEnd: boolean): void {
    const from = atEnd ? chunk.keys.length - 1 : chunk.keys.length >>> 1;
    const keys = chunk.keys.splitFrom(from);
    const values = chunk.values.splice(from);
    this.#chunks.splice(index + 1, 0, { keys, values });
    this.#firsts.insert(index + 1, keys.keys[0]!);
  }
}

const asItIs = (key: Uint8Array): Uint8Array => key;
