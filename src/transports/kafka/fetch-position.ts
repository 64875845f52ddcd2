import type { MillraceError } from '../../errors.ts';
import type { FetchedBatch, OffsetOrigin } from '../../log/transport.ts';
import { type BatchHeader, peekBatchHeader } from '../../protocol/batch-decoder.ts';
import * as at from '../../protocol/batch-format.ts';
import type { Compression } from '../../protocol/compression.ts';
import { isUnreadable, keepBytes, placed } from '../../protocol/corrupt.ts';
import { BatchUnpacker, type UnpackOptions } from '../local/batch-unpacker.ts';
import { emptyFetch, FetchedRows, recordsBelow } from '../local/fetched-rows.ts';
import { DEFAULT_UNPACKED_BYTES, type UnpackBudget, unpackBudget } from '../local/unpack-budget.ts';
import { AbortedFilter } from './aborted-filter.ts';
import { logTruncated } from './errors.ts';
import type { FetchedPartition } from './wire/fetch.ts';

interface Chunk {
  readonly bytes: Uint8Array;
  readonly filter: AbortedFilter;
  at: number;
}

/** The complete batches in fetched bytes, inspected without decoding them. */
export interface Survey {
  /** The end of the last complete batch. */
  readonly length: number;
  readonly nextOffset: number | undefined;
  readonly compressions: ReadonlySet<Compression>;
  /** Leader epoch of the last complete batch. */
  readonly leaderEpoch: number;
  /** Size of the largest batch, including a truncated one if it is the first. */
  readonly largest: number;
}

/** @throws StoreError `ERR_CORRUPT_BATCH` if the bytes are not batches */
export function survey(bytes: Uint8Array, topic: string, partition: number): Survey {
  const compressions = new Set<Compression>();
  let start = 0;
  let nextOffset: number | undefined;
  let largest = 0;
  let leaderEpoch = -1;
  for (;;) {
    let header: BatchHeader | undefined;
    try {
      header = peekBatchHeader(bytes, start, { topic, partition });
    } catch (error) {
      // The batches before it can be read; the next fetch starts with it.
      if (start > 0) break;
      if (isUnreadable(error)) keepBytes(error, bytes);
      throw error;
    }
    if (header === undefined) break;
    compressions.add(header.compression);
    nextOffset = header.nextOffset;
    leaderEpoch = header.leaderEpoch;
    start += header.byteLength;
    largest = Math.max(largest, header.byteLength);
  }
  if (start === 0 && bytes.length >= at.LENGTH_PREFIX_BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    largest = view.getInt32(at.BATCH_LENGTH) + at.LENGTH_PREFIX_BYTES;
  }
  return { length: start, nextOffset, leaderEpoch, compressions, largest };
}

/** There is currently no memory for the next record. */
const WAIT = Symbol('wait');

const UNPACK: UnpackOptions = { budget: unpackBudget, maxUnpackedBytes: DEFAULT_UNPACKED_BYTES };

/** The position of a fetcher in a partition, and its fetched data. */
export class FetchPosition {
  readonly topic: string;
  readonly partition: number;
  readonly committed: boolean;
  /** The topic of the offsets; `undefined` until known. */
  topicId: string | undefined;
  /** The next offset to fetch. */
  fetchOffset: number;
  /** Leader epoch of the record before it; −1 if unknown. */
  fetchEpoch: number;
  /** The last known end of what can be read. */
  endOffset: number | undefined;
  /** The last known end of what is written, also in open transactions. */
  writtenEnd: number | undefined;
  /** Reported once all earlier fetched data has been taken. */
  error: MillraceError | undefined;
  /** Whether the last request found nothing. */
  empty = false;
  /** Whether a request for it is in flight. */
  fetching = false;
  /** Not fetched before this time (monotonic). */
  pausedUntil = 0;
  /** Number of consecutive failed fetches. */
  attempts = 0;
  /** The largest recent batch: the next ones are likely to be as large. */
  needsBytes = 0;
  /** Whether the last request had no room for the next batch. */
  hungry = false;
  /** Since when the end has not moved although records of transactions follow it (monotonic). */
  heldSince: number | undefined;
  #delivered: number;
  #deliveredEpoch: number;
  #chunks: Chunk[] = [];
  #buffered = 0;
  readonly #unpacker: BatchUnpacker;
  readonly #budget: UnpackBudget;

  constructor(
    topic: string,
    partition: number,
    offset: number,
    committed: boolean,
    origin: OffsetOrigin = {},
    unpack: UnpackOptions = UNPACK,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.fetchOffset = offset;
    this.#delivered = offset;
    this.committed = committed;
    this.topicId = origin.topicId;
    this.fetchEpoch = this.#deliveredEpoch = origin.leaderEpoch ?? -1;
    this.#budget = unpack.budget;
    this.#unpacker = new BatchUnpacker(unpack, { topic, partition });
  }

  /** The origin of the offsets, up to the end of what was taken. */
  get origin(): OffsetOrigin {
    const leaderEpoch = this.#deliveredEpoch < 0 ? undefined : this.#deliveredEpoch;
    return { topicId: this.topicId, leaderEpoch };
  }

  /**
   * Called if the leader has different records from an offset on. Records fetched ahead are fetched again.
   *
   * @throws FatalError `ERR_LOG_TRUNCATED` if some of them have already been taken
   */
  diverged({ endOffset, epoch }: NonNullable<FetchedPartition['diverging']>): void {
    if (endOffset < this.#delivered) throw logTruncated(this, endOffset, this.#delivered - 1);
    this.#chunks = [];
    this.#buffered = 0;
    this.fetchOffset = this.#delivered;
    this.fetchEpoch = this.#deliveredEpoch = Math.min(this.#deliveredEpoch, epoch);
    this.#unpacker.forget();
  }

  /** How long the next record still waits for memory, in ms; `undefined` if it does not wait. */
  get patienceMs(): number | undefined {
    return this.#unpacker.patienceMs;
  }

  /** Whether there are records that had no memory, or no time in this turn. */
  get waits(): boolean {
    return this.#unpacker.waits && this.#chunks.length > 0;
  }

  /** Releases everything that was delivered. */
  close(): void {
    this.#unpacker.release();
  }

  /** Whether more should be fetched. */
  wants(halfBytes: number, now: number): boolean {
    return !this.fetching && this.error === undefined && this.#buffered <= halfBytes && now >= this.pausedUntil;
  }

  /** Whether everything readable was fetched, and open transactions have held back the rest for some time. */
  isHeld(since: number): boolean {
    return this.heldSince !== undefined && this.heldSince <= since && this.fetchOffset >= (this.endOffset ?? 0);
  }

  /**
   * Takes fetched data. Returns whether there is anything new.
   *
   * @param first - Whether it was the first partition of the request, which gets a batch if there is one.
   */
  add(answer: FetchedPartition, { length, nextOffset, leaderEpoch, largest }: Survey, first: boolean): boolean {
    const end = this.committed ? answer.lastStableOffset : answer.highWatermark;
    const moved = end !== this.endOffset;
    this.endOffset = end;
    this.writtenEnd = answer.highWatermark;
    if (answer.highWatermark <= end) this.heldSince = undefined;
    else if (moved || this.heldSince === undefined) this.heldSince = this.#budget.clock.monotonic();
    this.attempts = 0;
    if (largest > 0) this.needsBytes = largest;
    this.hungry = length === 0 && !first && this.fetchOffset < end;
    this.empty = answer.records.length === 0 && !this.hungry;
    if (nextOffset === undefined || nextOffset <= this.fetchOffset) return moved;
    this.fetchOffset = nextOffset;
    this.fetchEpoch = leaderEpoch;
    this.#buffered += length;
    this.#chunks.push({ bytes: answer.records.subarray(0, length), filter: new AbortedFilter(answer.aborted), at: 0 });
    return true;
  }

  /**
   * The next records, or progress over offsets without records. Earlier records are no longer used. @throws
   * MillraceError
   */
  poll(): FetchedBatch | undefined {
    this.#unpacker.release();
    const from = this.#delivered;
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const batch = this.#next(chunk);
      if (batch === WAIT) break;
      if (batch !== undefined) return batch;
    }
    if (this.#delivered > from) return emptyFetch(from, this.#delivered, this.#end());
    if (this.error !== undefined && this.#chunks.length === 0) throw this.error;
    return undefined;
  }

  #next(chunk: Chunk): FetchedBatch | typeof WAIT | undefined {
    const header = peekBatchHeader(chunk.bytes, chunk.at, { topic: this.topic, partition: this.partition });
    if (header === undefined) {
      this.#chunks.shift();
      return undefined;
    }
    let result: FetchedBatch | undefined;
    if (header.nextOffset > this.#delivered) {
      if (this.committed && chunk.filter.hides(header)) {
        this.#delivered = header.nextOffset;
        this.#deliveredEpoch = header.leaderEpoch;
      } else {
        const batch = this.#unpack(chunk, header);
        if (batch === undefined) return WAIT;
        if ('marker' in batch && batch.marker === 'abort') chunk.filter.ended(header.producerId);
        const below = recordsBelow(batch.offsetDelta, batch.baseOffset, this.#delivered);
        this.#delivered = batch.nextOffset;
        this.#deliveredEpoch = header.leaderEpoch;
        if (batch.count > below)
          result = new FetchedRows(batch, batch.baseOffset, batch.nextOffset, this.#end(), below);
        // This is a slice: the rest of the batch follows.
        if (batch.nextOffset < header.nextOffset) return result;
      }
    }
    chunk.at += header.byteLength;
    this.#buffered -= header.byteLength;
    return result;
  }

  #unpack(chunk: Chunk, header: BatchHeader): ReturnType<BatchUnpacker['unpack']> {
    try {
      return this.#unpacker.unpack(chunk.bytes, chunk.at, header, this.#delivered);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      const known = placed(error, header.baseOffset, this.#behind(chunk, header) - 1);
      keepBytes(known, chunk.bytes.subarray(chunk.at, chunk.at + header.byteLength));
      throw known;
    }
  }

  /** The offset after a damaged batch, whose own header may be damaged too. */
  #behind(chunk: Chunk, header: BatchHeader): number {
    let next = Math.min(header.nextOffset, Math.max(this.endOffset ?? 0, header.baseOffset + 1));
    try {
      const following = peekBatchHeader(chunk.bytes, chunk.at + header.byteLength);
      if (following !== undefined && following.baseOffset > header.baseOffset) next = following.baseOffset;
    } catch {
      // That one is damaged too and will be reported in its turn.
    }
    return next;
  }

  #end(): number {
    return Math.max(this.endOffset ?? 0, this.#delivered);
  }
}

/** A transaction that holds back records for longer than this is reported, in ms. */
const HELD_MS = 1000;

/** Describes the first transaction that has held back records for some time. @param now - Monotonic time. */
export function openTransaction(positions: Iterable<FetchPosition>, now: number): string | undefined {
  for (const position of positions) {
    const { topic, partition, fetchOffset } = position;
    if (position.isHeld(now - HELD_MS)) {
      return `the end of a transaction, which holds back "${topic}/${partition}" from offset ${fetchOffset} on`;
    }
  }
  return undefined;
}
