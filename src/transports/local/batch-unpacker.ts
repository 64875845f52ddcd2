import { type BatchPlace, type DecodedBatch, decodeUnpacked } from '../../protocol/batch-decoder.ts';
import type { BatchHeader } from '../../protocol/batch-header.ts';
import { decodedBytes, decodeSlice, findSlice } from '../../protocol/batch-slice.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { unpackBatch } from '../../protocol/unpack-batch.ts';
import type { UnpackBudget } from './unpack-budget.ts';

/** What a partition may have unpacked without asking: as much as is fetched ahead of it. */
const FREE_BYTES = 1024 * 1024;
/** A record that finds no room for so long is let through: what holds the room may be waiting for it. */
const PATIENCE_MS = 10_000;

/** One turn of the event loop unpacks one batch of that size. */
const LARGE_BYTES = 8 * 1024 * 1024;

type Unpacked = DecodedBatch | RecordColumns;

export interface UnpackOptions {
  readonly budget: UnpackBudget;
  /** What all unpacked batches of the process may take. */
  readonly maxUnpackedBytes: number;
}

/**
 * Unpacks the batches of one partition, one at a time, within the memory of the process. A batch that does not fit is
 * handed out in slices, and unpacked again for each of them.
 */
export class BatchUnpacker {
  readonly #options: UnpackOptions;
  readonly #place: BatchPlace;
  #taken = 0;
  #waitingSince: number | undefined;
  /** Whether the last call found no room, or that it is somebody else's turn: see {@link UnpackBudget.onFree}. */
  waits = false;
  /** What the record that waits will take. */
  #needed = 0;
  /** Base offset of the batch whose checksum was compared last. */
  #checked = -1;

  constructor(options: UnpackOptions, place: BatchPlace) {
    this.#options = options;
    this.#place = place;
  }

  /** How long the next record still waits for room, in milliseconds; `undefined` when it does not. */
  get patienceMs(): number | undefined {
    if (this.#waitingSince === undefined) return undefined;
    return Math.max(this.#waitingSince + PATIENCE_MS - this.#options.budget.clock.monotonic(), 0);
  }

  /** What was unpacked last is not used any more. */
  release(): void {
    const taken = this.#taken;
    this.#taken = 0;
    this.#options.budget.give(taken);
  }

  /** What lies at the offsets from now on may be something else. */
  forget(): void {
    this.#checked = -1;
  }

  /**
   * The records of a batch from an offset on, possibly not all: `nextOffset` says how far they go. `undefined` when there
   * is no room for the next one now.
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
    // Before it is unpacked in vain.
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
