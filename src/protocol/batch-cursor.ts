import { VarintReader } from './varint.ts';

/** Iterates over the encoded records of a batch, to copy them into another one without decoding. */
export class BatchCursor {
  readonly bytes: Uint8Array;
  /** Timestamp of the current record, in ms since the epoch. */
  timestamp = -1;
  /** Where the record's key, value and headers are. */
  start = 0;
  end: number;
  readonly #last: number;
  readonly #baseTimestamp: number;
  readonly #reader = new VarintReader();

  /** @param bytes - Holds whole records between `from` and `to`. */
  constructor(bytes: Uint8Array, from: number, to: number, baseTimestamp: number) {
    this.bytes = bytes;
    this.end = from;
    this.#last = to;
    this.#baseTimestamp = baseTimestamp;
  }

  /** Moves to the next record. @returns Whether there is one. */
  next(): boolean {
    if (this.end >= this.#last) return false;
    const { bytes } = this;
    const reader = this.#reader;
    reader.position = this.end;
    const length = reader.readInt(bytes);
    this.end = reader.position + length;
    reader.position += 1; // attributes
    this.timestamp = this.#baseTimestamp + reader.readLong(bytes);
    reader.readInt(bytes); // the offset within its batch
    this.start = reader.position;
    return true;
  }
}
