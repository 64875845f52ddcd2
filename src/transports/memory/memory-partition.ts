import type { FetchedBatch, TopicPartition } from '../../log/transport.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import type { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { SharedRows } from '../../protocol/shared-rows.ts';
import { NewestByKey, selectRecords } from '../local/compaction.ts';
import { emptyFetch, FetchedRows, recordsBelow } from '../local/fetched-rows.ts';
import { compactTo, retainFrom, type StoredBatchInfo } from '../local/retention.ts';
import type { FullTopicConfig } from '../local/topic-config.ts';

/** Adjacent records in columns, which may contain others too. */
interface Rows {
  readonly shared: RecordColumns;
  /** Index of the first. */
  readonly first: number;
  readonly count: number;
}

interface StoredBatch extends StoredBatchInfo, Rows {}

/** A batch to append to a partition. */
export class PreparedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly rows: Rows;
  readonly maxTimestamp: number;
  readonly bytes: number;

  constructor({ partition, topic }: TopicPartition, rows: Rows, maxTimestamp: number, bytes: number) {
    this.topic = topic;
    this.partition = partition;
    this.rows = rows;
    this.maxTimestamp = maxTimestamp;
    this.bytes = bytes;
  }

  /** Its records, without others in the same columns. */
  get columns(): RecordColumns {
    return alone(this.rows, 0);
  }
}

/** Batches up to this size share columns with others. */
const SMALL_RECORDS = 16;
const SMALL_BYTES = 2048;
/**
 * Capacity of the first shared columns of a partition, and of the largest, in records; the capacity doubles each time.
 */
const FIRST_SHARED = 16;
const MAX_SHARED = 1024;
/** Average bytes per record in shared columns. */
const RECORD_BYTES = 128;

/** The records of one partition as decoded batches in offset order. */
export class MemoryPartition {
  #batches: StoredBatch[] = [];
  #start = 0;
  #end = 0;
  /** Where the next small batch goes. */
  #shared: SharedRows | undefined;
  #sharedRecords = FIRST_SHARED;

  /** The first offset that can be read. */
  get start(): number {
    return this.#start;
  }

  /** The offset of the next record. */
  get end(): number {
    return this.#end;
  }

  /**
   * Takes records out of a builder, which may then be reused. If they are not appended afterwards, they only take up
   * room.
   */
  rowsOf(records: RecordBatchBuilder): Rows {
    const { count, sizeInBytes } = records;
    if (count > SMALL_RECORDS || sizeInBytes > SMALL_BYTES) return { shared: records.columns(0), first: 0, count };
    let shared = this.#shared;
    let first = shared === undefined ? -1 : records.rowsInto(shared);
    if (shared === undefined || first < 0) {
      shared = new SharedRows(this.#sharedRecords, Math.max(SMALL_BYTES, this.#sharedRecords * RECORD_BYTES));
      first = records.rowsInto(shared);
      this.#shared = shared;
      this.#sharedRecords = Math.min(2 * this.#sharedRecords, MAX_SHARED);
    }
    return { shared: shared.rows, first, count };
  }

  append({ bytes, maxTimestamp, rows }: PreparedBatch, appendedAt: number): number {
    const { count, first, shared } = rows;
    const baseOffset = this.#end;
    const nextOffset = baseOffset + count;
    this.#end = nextOffset;
    this.#batches.push({ shared, first, count, baseOffset, nextOffset, maxTimestamp, appendedAt, bytes });
    return baseOffset;
  }

  /** The batch that contains an offset, without the records below it; `undefined` at the end. */
  read(offset: number): FetchedBatch | undefined {
    if (offset >= this.#end) return undefined;
    const batch = this.#batches[this.#indexOf(offset)];
    if (batch === undefined) return emptyFetch(offset, this.#end, this.#end);
    const { baseOffset, count, first, nextOffset, shared } = batch;
    const skip = recordsBelow(shared.offsetDelta, baseOffset, offset, first, first + count);
    return new FetchedRows(shared, baseOffset, nextOffset, this.#end, skip, first + count);
  }

  /** The first offset whose record has this time or a later one; the end if there is none. */
  offsetAt(time: number): number {
    for (const { baseOffset, count, first, maxTimestamp, nextOffset, shared } of this.#batches) {
      if (maxTimestamp < time || nextOffset <= this.#start) continue;
      for (let i = first; i < first + count; i++) {
        const offset = baseOffset + shared.offsetDelta[i]!;
        if (offset >= this.#start && shared.timestamp[i]! >= time) return offset;
      }
    }
    return this.#end;
  }

  deleteBefore(offset: number): void {
    this.#start = Math.max(this.#start, Math.min(offset, this.#end));
    this.#batches.splice(0, this.#indexOf(this.#start));
  }

  /** @param read - The lowest offset that a group has committed; infinity if there is none. */
  maintain(config: FullTopicConfig, now: number, read: number): void {
    const bytes = this.#batches.reduce((sum, batch) => sum + batch.bytes, 0);
    this.deleteBefore(retainFrom(this.#batches, { start: this.#start, end: this.#end, bytes }, config, now));
    if (config.cleanup === 'delete') return;
    const to = compactTo(this.#batches, read, config, now);
    const newest = new NewestByKey();
    for (const batch of this.#batches)
      if (batch.baseOffset < to) newest.add(alone(batch, batch.baseOffset), batch.baseOffset);
    this.#batches = this.#batches.flatMap((batch) => {
      const { baseOffset, count } = batch;
      if (baseOffset >= to) return [batch];
      const rows = alone(batch, baseOffset);
      const kept = newest.survivors(rows, baseOffset, batch.appendedAt < now - TOMBSTONE_MS);
      if (kept.length === count) return [batch];
      if (kept.length === 0) return [];
      const shared = selectRecords(rows, kept);
      return [{ ...batch, shared, first: 0, count: kept.length, bytes: (batch.bytes * kept.length) / count }];
    });
  }

  /** Index of the first batch that reaches past an offset. */
  #indexOf(offset: number): number {
    // A reader that keeps up needs the last one.
    const last = this.#batches.length - 1;
    if (last > 0 && this.#batches[last - 1]!.nextOffset <= offset && offset < this.#batches[last]!.nextOffset)
      return last;
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#batches[middle]!.nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function alone({ count, first, shared }: Rows, baseOffset: number): RecordColumns {
  if (first === 0 && count === shared.count) return shared;
  return new FetchedRows(shared, baseOffset, baseOffset + count, baseOffset + count, first, first + count);
}
