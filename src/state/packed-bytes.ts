import { insertAt, NEAR_END, removeAt } from './sorted-keys.ts';

/** How many entries a chunk has before it is split: moving so many numbers is cheaper than a call of the runtime. */
const CHUNK = 64;
/** How many bytes it has before it is split, unless one entry is that large. */
const CHUNK_BYTES = 64 * 1024;
const FIRST_BYTES = 1024;
/** Up to this length a loop is faster than the built-in copy. */
const SHORT = 64;

/** Entries in the order of their keys. The bytes of all lie in one buffer, each key before its value, in any order. */
class Chunk {
  bytes: Uint8Array;
  /** How much of the buffer has been used. */
  used = 0;
  /** How many of the used bytes belong to no entry any more. */
  gaps = 0;
  readonly at: number[] = [];
  readonly keyLengths: number[] = [];
  readonly valueLengths: number[] = [];

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  get size(): number {
    return this.at.length;
  }

  /** Unsigned byte order of an entry's key and another key, as for `Array.sort`. */
  compare(index: number, key: Uint8Array): number {
    const { bytes } = this;
    const from = this.at[index]!;
    const own = this.keyLengths[index]!;
    const length = own < key.length ? own : key.length;
    for (let i = 0; i < length; i++) {
      const difference = bytes[from + i]! - key[i]!;
      if (difference !== 0) return difference;
    }
    return own - key.length;
  }

  /** Index of the first entry whose key is not below `key`. */
  lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  holds(index: number, key: Uint8Array): boolean {
    return index < this.at.length && this.compare(index, key) === 0;
  }

  key(index: number): Uint8Array {
    const from = this.at[index]!;
    return copyOf(this.bytes, from, from + this.keyLengths[index]!);
  }

  value(index: number): Uint8Array {
    const from = this.at[index]! + this.keyLengths[index]!;
    return copyOf(this.bytes, from, from + this.valueLengths[index]!);
  }

  insert(index: number, key: Uint8Array, value: Uint8Array): void {
    const from = this.#reserve(key.length + value.length);
    write(key, 0, key.length, this.bytes, from);
    write(value, 0, value.length, this.bytes, from + key.length);
    insertAt(this.at, index, from);
    insertAt(this.keyLengths, index, key.length);
    insertAt(this.valueLengths, index, value.length);
  }

  replace(index: number, key: Uint8Array, value: Uint8Array): void {
    const before = this.valueLengths[index]!;
    if (value.length <= before) {
      write(value, 0, value.length, this.bytes, this.at[index]! + key.length);
      this.gaps += before - value.length;
    } else {
      // Its old place becomes a gap first, so that it is not moved where the buffer is packed anew.
      this.gaps += key.length + before;
      this.keyLengths[index] = 0;
      this.valueLengths[index] = 0;
      const from = this.#reserve(key.length + value.length);
      write(key, 0, key.length, this.bytes, from);
      write(value, 0, value.length, this.bytes, from + key.length);
      this.at[index] = from;
      this.keyLengths[index] = key.length;
    }
    this.valueLengths[index] = value.length;
  }

  remove(index: number): void {
    this.gaps += this.keyLengths[index]! + this.valueLengths[index]!;
    removeAt(this.at, index);
    removeAt(this.keyLengths, index);
    removeAt(this.valueLengths, index);
    if (this.gaps > FIRST_BYTES && this.gaps > this.used >>> 1) this.#pack(this.used - this.gaps);
  }

  /** Moves the entries from a place on to a new chunk. */
  splitFrom(index: number): Chunk {
    const other = new Chunk(FIRST_BYTES);
    for (let i = index; i < this.at.length; i++) {
      const from = this.at[i]!;
      const length = this.keyLengths[i]! + this.valueLengths[i]!;
      const to = other.#reserve(length);
      write(this.bytes, from, from + length, other.bytes, to);
      other.at.push(to);
      other.keyLengths.push(this.keyLengths[i]!);
      other.valueLengths.push(this.valueLengths[i]!);
      this.gaps += length;
    }
    for (const list of [this.at, this.keyLengths, this.valueLengths]) list.length = index;
    if (this.gaps > this.used >>> 1) this.#pack(this.used - this.gaps);
    return other;
  }

  /** Makes room for so many bytes. @returns Where it is. */
  #reserve(length: number): number {
    const live = this.used - this.gaps;
    if (this.used + length > this.bytes.length)
      this.#pack(Math.max(live + length, Math.min(2 * live, live + CHUNK_BYTES)));
    const from = this.used;
    this.used += length;
    return from;
  }

  /** Moves all entries to another buffer without gaps. */
  #pack(size: number): void {
    const packed = new Uint8Array(Math.max(size, FIRST_BYTES));
    let to = 0;
    for (let i = 0; i < this.at.length; i++) {
      const from = this.at[i]!;
      const length = this.keyLengths[i]! + this.valueLengths[i]!;
      write(this.bytes, from, from + length, packed, to);
      this.at[i] = to;
      to += length;
    }
    this.bytes = packed;
    this.used = to;
    this.gaps = 0;
  }
}

/**
 * A map from bytes to bytes in unsigned byte order, which owns what it holds: what goes in and what comes out is copied.
 * Entries are packed into the buffers of sorted chunks. An array for each key and each value would take two hundred bytes
 * more each, and the collector copies what lives twice.
 */
export class PackedBytes {
  readonly #chunks: Chunk[] = [];
  #size = 0;
  #version = 0;
  /** The chunk that was found last. What is asked for next often lies there too. */
  #recent = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    if (chunk === undefined) return undefined;
    const at = chunk.lowerBound(key);
    return chunk.holds(at, key) ? chunk.value(at) : undefined;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const index = this.#chunkFor(key);
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      chunk = new Chunk(FIRST_BYTES);
      this.#chunks.push(chunk);
    }
    const at = chunk.lowerBound(key);
    if (chunk.holds(at, key)) chunk.replace(at, key, value);
    else {
      chunk.insert(at, key, value);
      this.#size++;
      this.#version++;
    }
    const { size } = chunk;
    if (size > CHUNK || (size > 1 && chunk.used - chunk.gaps > CHUNK_BYTES)) this.#split(index, chunk, at);
  }

  delete(key: Uint8Array): boolean {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    const at = chunk?.lowerBound(key) ?? 0;
    if (chunk?.holds(at, key) !== true) return false;
    chunk.remove(at);
    if (chunk.size === 0) removeAt(this.#chunks, index);
    this.#size--;
    this.#version++;
    return true;
  }

  /** Entries with `from <= key < to`. It stays in key order if entries are added or removed during the iteration. */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [key: Uint8Array, value: Uint8Array]> {
    for (const [chunk, at] of this.#places(from, to)) yield [chunk.key(at), chunk.value(at)];
  }

  /** The keys of such a range. */
  *keys(from?: Uint8Array, to?: Uint8Array): IterableIterator<Uint8Array> {
    for (const [chunk, at] of this.#places(from, to)) yield chunk.key(at);
  }

  *#places(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [Chunk, number]> {
    let index = from === undefined ? 0 : this.#chunkFor(from);
    let at = from === undefined ? 0 : (this.#chunks[index]?.lowerBound(from) ?? 0);
    for (;;) {
      const chunk = this.#chunks[index];
      if (chunk === undefined) return;
      if (at >= chunk.size) {
        index++;
        at = 0;
        continue;
      }
      if (to !== undefined && chunk.compare(at, to) >= 0) return;
      const version = this.#version;
      const key = chunk.key(at);
      yield [chunk, at];
      if (version === this.#version) {
        at++;
        continue;
      }
      // Places have moved: find the one after the last delivered key.
      index = this.#chunkFor(key);
      const now = this.#chunks[index];
      at = now?.lowerBound(key) ?? 0;
      if (now?.holds(at, key) === true) at++;
    }
  }

  /** The last chunk whose first key is not above `key`, or the first chunk. */
  #chunkFor(key: Uint8Array): number {
    const chunks = this.#chunks;
    const recent = chunks[this.#recent];
    if (recent !== undefined && recent.compare(0, key) <= 0) {
      const next = chunks[this.#recent + 1];
      if (next === undefined || next.compare(0, key) > 0) return this.#recent;
    }
    let low = 0;
    let high = chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (chunks[middle]!.compare(0, key) <= 0) low = middle + 1;
      else high = middle;
    }
    this.#recent = low === 0 ? 0 : low - 1;
    return this.#recent;
  }

  /** Ascending insertion, the usual case, produces full chunks instead of half-full ones. */
  #split(index: number, chunk: Chunk, at: number): void {
    const { size } = chunk;
    const from = at > 0 && size - at <= NEAR_END ? at : size >>> 1;
    this.#chunks.splice(index + 1, 0, chunk.splitFrom(from));
    this.#version++;
  }
}

/** Copies bytes to another place. */
function write(bytes: Uint8Array, from: number, end: number, into: Uint8Array, at: number): void {
  if (end - from > SHORT) into.set(bytes.subarray(from, end), at);
  else for (let i = from, to = at; i < end; i++, to++) into[to] = bytes[i]!;
}

function copyOf(bytes: Uint8Array, from: number, end: number): Uint8Array {
  if (end - from > SHORT) return bytes.slice(from, end);
  const copy = new Uint8Array(end - from);
  for (let i = from, to = 0; i < end; i++, to++) copy[to] = bytes[i]!;
  return copy;
}
