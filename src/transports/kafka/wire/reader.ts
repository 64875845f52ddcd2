import { readInt64 } from '../../../protocol/batch-header.ts';

const decoder = new TextDecoder();

const NO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** A response that does not follow the protocol. Never leaves this folder. */
export class BadResponse extends Error {
  override readonly name = 'BadResponse';
}

/** Reads a response of Kafka's protocol. Checks lengths against the available bytes before allocating anything. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether there is nothing more to read. */
  get ended(): boolean {
    return this.#at === this.#bytes.length;
  }

  int8(): number {
    return this.#view.getInt8(this.#skip(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.#view.getInt16(this.#skip(2));
  }

  int32(): number {
    return this.#view.getInt32(this.#skip(4));
  }

  /** An integer within ±2^53; larger ones are rounded. */
  int64(): number {
    return readInt64(this.#view, this.#skip(8));
  }

  bigint64(): bigint {
    return this.#view.getBigInt64(this.#skip(8));
  }

  nullableString(): string | null {
    const length = this.#length(this.int16());
    return length < 0 ? null : this.#text(length);
  }

  string(): string {
    return this.nullableString() ?? '';
  }

  /** An id in the format of Kafka's tools; `undefined` if there is none. */
  uuid(): string | undefined {
    const start = this.#skip(16);
    const id = Buffer.from(this.#bytes.subarray(start, start + 16)).toString('base64url');
    return id === NO_UUID ? undefined : id;
  }

  /** Bytes of the flexible versions, which share the memory of the response; empty for null. */
  compactBytes(): Uint8Array {
    const length = Math.max(this.#unsigned() - 1, 0);
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Reads the known tagged fields of a flexible version and skips the others. */
  tagged(fields: Readonly<Record<number, () => void>>): void {
    for (let count = this.#unsigned(); count > 0; count--) {
      const [tag, length] = [this.#unsigned(), this.#unsigned()];
      const end = this.#at + length;
      fields[tag]?.();
      this.#at = end;
      this.#skip(0);
    }
  }

  /** Bytes that share the memory of the response; empty for null. */
  bytes(): Uint8Array {
    const length = Math.max(this.#length(this.int32()), 0);
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  array<T>(read: () => T): T[] {
    return this.#items(this.#length(this.int32()), read);
  }

  compactNullableString(): string | null {
    const length = this.#unsigned() - 1;
    return length < 0 ? null : this.#text(length);
  }

  compactString(): string {
    return this.compactNullableString() ?? '';
  }

  compactArray<T>(read: () => T): T[] {
    return this.#items(this.#unsigned() - 1, read);
  }

  /** Skips the tagged fields of a flexible version. */
  tags(): void {
    for (let count = this.#unsigned(); count > 0; count--) {
      this.#unsigned();
      this.#skip(this.#unsigned());
    }
  }

  /** −1 stands for null; less than that is not a length. */
  #length(length: number): number {
    if (length < -1) throw new BadResponse(`it has a length of ${length}`);
    return length;
  }

  #items<T>(count: number, read: () => T): T[] {
    const left = this.#bytes.length - this.#at;
    // Each item takes a byte at least.
    if (count > left) throw new BadResponse(`it claims ${count} items in ${left} bytes`);
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  #unsigned(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#view.getUint8(this.#skip(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new BadResponse('a length has more than five bytes');
  }

  #text(length: number): string {
    const start = this.#skip(length);
    return decoder.decode(this.#bytes.subarray(start, start + length));
  }

  #skip(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      throw new BadResponse(`it ends after ${this.#bytes.length} bytes, and ${at + length} are needed`);
    }
    this.#at = at + length;
    return at;
  }
}
