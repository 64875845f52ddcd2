/** Values are written into pieces of memory of this size, one after the other: an array of its own costs more. */
const PIECE_BYTES = 16 * 1024;
/** What may become longer is not written. */
const MOST_BYTES = 2 * 1024;
/** The most that stands before a text or is a number. */
const HEAD_BYTES = 9;
const MOST_DEPTH = 4;
/** What has as many entries has a longer head. */
const MANY = 16;
const SHORT_TEXT = 32;
/** Not plain. */
const NO = -1;

/**
 * Writes the most common values as the serde `msgpack()` does, byte for byte, in a quarter of the time: plain objects of
 * ASCII texts, booleans, null, numbers and such objects.
 */
export class PlainWriter {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #busy = false;

  /**
   * @param room - So many bytes before the value are left to the caller.
   * @returns The room and the value, where nothing else is written later; `undefined` for a value that is not so plain,
   *   too long, or throws.
   */
  write(value: unknown, room: number): Uint8Array | undefined {
    // A getter of the value may come here too.
    if (this.#busy || typeof value !== 'object' || value === null) return undefined;
    if (this.#bytes.length - this.#at < MOST_BYTES) {
      this.#bytes = new Uint8Array(PIECE_BYTES);
      this.#view = new DataView(this.#bytes.buffer);
      this.#at = 0;
    }
    const start = this.#at;
    this.#busy = true;
    let end = NO;
    try {
      end = this.#map(value, start + room, start + MOST_BYTES - HEAD_BYTES, 0);
    } catch {
      // The serde says what is wrong.
    } finally {
      this.#busy = false;
    }
    if (end === NO) return undefined;
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }

  /** @param last - No part may begin behind it. @returns Where the next part begins. */
  #map(value: object, from: number, last: number, depth: number): number {
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype !== Object.prototype && prototype !== null) || depth === MOST_DEPTH) return NO;
    const names = Object.keys(value);
    if (names.length >= MANY) return NO;
    let count = 0;
    let at = from + 1;
    for (const name of names) {
      if (name === '__proto__') return NO;
      const part = (value as Record<string, unknown>)[name];
      if (part === undefined) continue;
      count += 1;
      at = this.#text(name, at, last);
      if (at !== NO) at = this.#part(part, at, last, depth);
      if (at === NO) return NO;
    }
    this.#bytes[from] = 0x80 + count;
    return at;
  }

  #part(part: unknown, at: number, last: number, depth: number): number {
    if (at > last) return NO;
    if (typeof part === 'string') return this.#text(part, at, last);
    if (typeof part === 'number') return this.#number(part, at);
    if (part === null || part === true || part === false) {
      this.#bytes[at] = part === null ? 0xc0 : part ? 0xc3 : 0xc2;
      return at + 1;
    }
    return typeof part === 'object' ? this.#map(part, at, last, depth + 1) : NO;
  }

  #text(text: string, from: number, last: number): number {
    const { length } = text;
    if (length >= 256 || from + length > last) return NO;
    const bytes = this.#bytes;
    let at = from;
    if (length < SHORT_TEXT) bytes[at++] = 0xa0 + length;
    else {
      bytes[at++] = 0xd9;
      bytes[at++] = length;
    }
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return NO;
      bytes[at++] = code;
    }
    return at;
  }

  #number(number: number, at: number): number {
    const view = this.#view;
    if (!Number.isSafeInteger(number)) {
      view.setUint8(at, 0xcb);
      view.setFloat64(at + 1, number);
      return at + 9;
    }
    if (number < 0) return NO;
    if (number < 0x80) {
      view.setUint8(at, number);
      return at + 1;
    }
    if (number < 0x100) {
      view.setUint16(at, 0xcc00 + number);
      return at + 2;
    }
    if (number < 0x10000) {
      view.setUint8(at, 0xcd);
      view.setUint16(at + 1, number);
      return at + 3;
    }
    if (number < 0x1_0000_0000) {
      view.setUint8(at, 0xce);
      view.setUint32(at + 1, number);
      return at + 5;
    }
    view.setUint8(at, 0xcf);
    view.setUint32(at + 1, Math.floor(number / 0x1_0000_0000));
    view.setUint32(at + 5, number >>> 0);
    return at + 9;
  }
}
