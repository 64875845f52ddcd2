import { writeInt64 } from '../../../protocol/batch-header.ts';

/** Byte arrays of at least this size are sent without being copied. */
const EXTERNAL_BYTES = 4096;

const encoder = new TextEncoder();

/** Writes a request of Kafka's protocol: big-endian integers, and each length before the items it counts. */
export class WireWriter {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #end = 0;
  readonly #done: Uint8Array[] = [];

  /** The written bytes, as pieces to send in order. */
  pieces(): readonly Uint8Array[] {
    return this.#end === 0 ? this.#done : [...this.#done, this.#buffer.subarray(0, this.#end)];
  }

  int8(value: number): this {
    const at = this.#take(1);
    this.#view.setInt8(at, value);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    const at = this.#take(2);
    this.#view.setInt16(at, value);
    return this;
  }

  int32(value: number): this {
    const at = this.#take(4);
    this.#view.setInt32(at, value);
    return this;
  }

  /** An integer within ±2^53. */
  int64(value: number): this {
    const at = this.#take(8);
    writeInt64(this.#view, at, value);
    return this;
  }

  bigint64(value: bigint): this {
    const at = this.#take(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = encoder.encode(value);
    return this.int16(bytes.length).#raw(bytes);
  }

  bytes(value: Uint8Array | null): this {
    if (value === null) return this.int32(-1);
    this.int32(value.length);
    if (value.length < EXTERNAL_BYTES) return this.#raw(value);
    if (this.#end > 0) this.#done.push(this.#buffer.subarray(0, this.#end));
    this.#done.push(value);
    this.#buffer = new Uint8Array(256);
    this.#view = new DataView(this.#buffer.buffer);
    this.#end = 0;
    return this;
  }

  /** An id in the format of Kafka's tools; the zero id for `undefined`. */
  uuid(id: string | undefined): this {
    const bytes = new Uint8Array(16);
    if (id !== undefined) bytes.set(Buffer.from(id, 'base64url').subarray(0, 16));
    return this.#raw(bytes);
  }

  array<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.int32(items === null ? -1 : items.length);
    for (const item of items ?? []) write(item);
    return this;
  }

  /** A string of the flexible versions. */
  compactString(value: string | null): this {
    if (value === null) return this.#unsigned(0);
    const bytes = encoder.encode(value);
    return this.#unsigned(bytes.length + 1).#raw(bytes);
  }

  /** Bytes of the flexible versions. */
  compactBytes(value: Uint8Array): this {
    return this.#unsigned(value.length + 1).#raw(value);
  }

  /** An array of the flexible versions. */
  compactArray<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.#unsigned(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) write(item);
    return this;
  }

  /** The end of a structure of the flexible versions: no tagged fields. */
  tags(): this {
    return this.#unsigned(0);
  }

  #unsigned(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.int8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.int8(rest);
  }

  #raw(bytes: Uint8Array): this {
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  /** Makes room for more bytes. Growing replaces the view, so get it again afterwards. */
  #take(length: number): number {
    const at = this.#end;
    const end = at + length;
    if (end > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(end, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#end = end;
    return at;
  }
}
