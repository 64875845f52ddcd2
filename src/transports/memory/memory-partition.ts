import type { FetchedBatch } from '../../log/transport.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { NewestByKey, selectRecords } from '../local/compaction.ts';
import { emptyFetch, FetchedRows, recordsBelow } from '../local/fetched-rows.ts';
import { compactTo, retainFrom, type StoredBatchInfo } from '../local/retention.ts';
import type { FullTopicConfig } from '../local/topic-config.ts';

interface StoredBatch extends StoredBatchInfo {
  readonly columns: RecordColumns;
}

/** A batch on its way into a partition. */
export interface PreparedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly columns: RecordColumns;
  readonly maxTimestamp: number;
  readonly bytes: number;
}

/** The records of one partition as decoded batches in offset order. */
export class MemoryPartition {
  #batches: StoredBatch[] = [];
  #start = 0;
  #end = 0;

  /** The first offset that can be read. */
  get start(): number {
    return this.#start;
  }

  /** The offset of the next record. */
  get end(): number {
    return this.#end;
  }

  append(batch: PreparedBatch, now: number): number {
    const baseOffset = this.#end;
    this.#end = baseOffset + batch.columns.nextOffset;
    this.#batches.push({
      columns: batch.columns,
      baseOffset,
      nextOffset: this.#end,
      maxTimestamp: batch.maxTimestamp,
      appendedAt: now,
      bytes: batch.bytes,
    });
    return baseOffset;
  }

  /** The batch that holds an offset, without the records below it; `undefined` at the end. */
  read(offset: number): FetchedBatch | undefined {
    if (offset >= this.#end) return undefined;
    const batch = this.#batches[this.#indexOf(offset)];
    if (batch === undefined) return emptyFetch(offset, this.#end, this.#end);
    const { columns, baseOffset, nextOffset } = batch;
    const skip = recordsBelow(columns.offsetDelta, baseOffset, offset);
    return new FetchedRows(columns, baseOffset, nextOffset, this.#end, skip);
  }

  /** The first offset whose record has this time or a later one; the end when there is none. */
  offsetAt(time: number): number {
    for (const { columns, baseOffset, nextOffset, maxTimestamp } of this.#batches) {
      if (maxTimestamp < time || nextOffset <= this.#start) continue;
      for (let i = 0; i < columns.count; i++) {
        const offset = baseOffset + columns.offsetDelta[i]!;
        if (offset >= this.#start && columns.timestamp[i]! >= time) return offset;
      }
    }
    return this.#end;
  }

  deleteBefore(offset: number): void {
    this.#start = Math.max(this.#start, Math.min(offset, this.#end));
    this.#batches.splice(0, this.#indexOf(this.#start));
  }

  /** @param read - The lowest offset that a group has committed; infinity when none has. */
  maintain(config: FullTopicConfig, now: number, read: number): void {
    const bytes = this.#batches.reduce((sum, batch) => sum + batch.bytes, 0);
    this.deleteBefore(retainFrom(this.#batches, { start: this.#start, end: this.#end, bytes }, config, now));
    if (config.cleanup === 'delete') return;
    const to = compactTo(this.#batches, read, config, now);
    const newest = new NewestByKey();
    for (const { columns, baseOffset } of this.#batches) if (baseOffset < to) newest.add(columns, baseOffset);
    this.#batches = this.#batches.flatMap((batch) => {
      const { columns, baseOffset } = batch;
      if (baseOffset >= to) return [batch];
      const kept = newest.survivors(columns, baseOffset, batch.appendedAt < now - TOMBSTONE_MS);
      if (kept.length === columns.count) return [batch];
      if (kept.length === 0) return [];
      return [{ ...batch, columns: selectRecords(columns, kept), bytes: (batch.bytes * kept.length) / columns.count }];
    });
  }

  /** Index of the first batch that reaches past an offset. */
  #indexOf(offset: number): number {
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
