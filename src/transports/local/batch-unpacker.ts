import { type BatchPlace, type DecodedBatch, decodeUnpacked } from '../../protocol/batch-decoder.ts';
import type { BatchHeader } from '../../protocol/batch-header.ts';
import { decodedBytes, decodeSlice, findSlice } from '../../protocol/batch-slice.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { unpackBatch } from '../../protocol/unpack-batch.ts';
import type { UnpackBudget } from './unpack-budget.ts';

/** How much a partition may unpack without asking the budget: as much as is fetched ahead. */
const FREE_BYTES = 1024 * 1024;
/** After waiting this long for room, a record is let through: whatever occupies the room may be waiting for it. */
const PATIENCE_MS = 10_000;

/** A turn of the event loop unpacks at most one batch of this size. */
const LARGE_BYTES = 8 * 1024 * 1024;

type Unpacked = DecodedBatch | RecordColumns;

export interface UnpackOptions {
  readonly budget: UnpackBudget;
  /** The most bytes that all unpacked batches of the process may take. */
  readonly maxUnpackedBytes: number;
}

/**
 * Unpacks the batches of one partition, one at a time, within the memory of the process. A batch that does not fit is
 * delivered in slices and unpacked again for each slice.
 */
export class BatchUnpacker {
  readonly #options: UnpackOptions;
  readonly #place: BatchPlace;
  #taken = 0;
  #waitingSince: number | undefined;
  /** Whether the last call found no room, or had to yield to another partition: see {@link UnpackBudget.onFree}. */
  waits = false;
  /** The room that the waiting record needs. */
  #needed = 0;
  /** Base offset of the batch whose checksum was verified last. */
  #checked = -1;

  constructor(options: UnpackOptions, place: BatchPlace) {
    this.#options = options;
    this.#place = place;
  }

  /** How long the next record still waits for room, in ms; `undefined` if it does not wait. */
  get patienceMs(): number | undefined {
    if (this.#waitingSince === undefined) return undefined;
    return Math.max(this.#waitingSince + PATIENCE_MS - this.#options.budget.clock.monotonic(), 0);
  }

  /** Releases what was unpacked last. */
  release(): void {
    const taken = this.#taken;
    this.#taken = 0;
    this.#options.budget.give(taken);
  }

  /** Forgets verified batches: the offsets may refer to other batches from now on. */
  forget(): void {
    this.#checked = -1;
  }

  /**
   * The records of a batch from an offset on, possibly not all: `nextOffset` says how far they go. `undefined` if there
   * is currently no room for the next one.
   *
   * @throws as `decodeBatch`
   */
  unpack(bytes: Uint8Array, start: number, header: BatchHeader, offset: number): Unpacked | undefined {
    this.release();
    this.waits = false;
    const batch = this.#unpack(bytes, start, header, offset);
    this.waits = batch === undefined;
    return batch;
  }

  #unpack(bytes: Uint8Array, start: number, header: BatchHeader, offset: number): Unpacked | undefined {
    const { budget, maxUnpackedBytes } = this.#options;
    if (header.compression !== 'none' && budget.rests) return undefined;
    // Avoids unpacking it in vain.
    if (this.#waitingSince !== undefined && this.patienceMs !== 0 && budget.used + this.#needed > maxUnpackedBytes) {
      return undefined;
    }
    const maxOutputBytes = Math.floor(maxUnpackedBytes / 2);
    const checkCrc = header.baseOffset !== this.#checked;
    const unpacked = unpackBatch(bytes, start, header, { ...this.#place, checkCrc, maxOutputBytes });
    this.#checked = header.baseOffset;
    if (header.control) return decodeUnpacked(unpacked);
    const whole = decodedBytes(unpacked);
    if (whole > LARGE_BYTES) budget.rest();
    const share = Math.max(FREE_BYTES, Math.floor(maxUnpackedBytes / 4));
    if (whole <= share && this.#take(whole)) return decodeUnpacked(unpacked);
    const range = findSlice(unpacked, offset, Math.max(FREE_BYTES, Math.min(share, maxUnpackedBytes - budget.used)));
    if (!this.#take(range.bytes) && !this.#overdraw(range.bytes)) return undefined;
    return decodeSlice(unpacked, range);
  }

  #take(bytes: number): boolean {
    const { budget, maxUnpackedBytes } = this.#options;
    if (bytes > FREE_BYTES) {
      if (!budget.take(bytes, maxUnpackedBytes)) return false;
      this.#taken = bytes;
    }
    this.#waitingSince = undefined;
    return true;
  }

  #overdraw(bytes: number): boolean {
    this.#waitingSince ??= this.#options.budget.clock.monotonic();
    this.#needed = bytes;
    if (this.patienceMs !== 0) return false;
    this.#waitingSince = undefined;
    this.#options.budget.overdraw(bytes);
    this.#taken = bytes;
    return true;
  }
}
