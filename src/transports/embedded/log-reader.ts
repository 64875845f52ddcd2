import { MillraceError, StoreError } from '../../errors.ts';
import type { FetchedBatch, TopicPartition } from '../../log/transport.ts';
import { compressionOf, decodeBatch } from '../../protocol/batch-decoder.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { corruptBatch, isUnreadable, placed } from '../../protocol/corrupt.ts';
import { outOfRange, topicRecreated } from '../local/errors.ts';
import { emptyFetch, FetchedRows, recordsBelow } from '../local/fetched-rows.ts';
import type { Batches } from './batches.ts';
import type { Catalog, StoredTopic } from './catalog.ts';

/** The start and end of a partition, and the id of its topic. */
interface Reach {
  readonly topicId: number;
  /** The same id as a string, for others. */
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** Reads records, based on the last known bounds of partitions. */
export class LogReader {
  readonly #catalog: Catalog;
  readonly #batches: Batches;
  readonly #refuse: (place: TopicPartition) => void;
  readonly #reaches = new Map<string, Reach>();

  /** @param refuse - Throws for a partition that does not exist. */
  constructor(catalog: Catalog, batches: Batches, refuse: (place: TopicPartition) => void) {
    this.#catalog = catalog;
    this.#batches = batches;
    this.#refuse = refuse;
  }

  /** Discards the known bounds of partitions after a commit. */
  forget(): void {
    this.#reaches.clear();
  }

  endOffset(name: string, partition: number): number | undefined {
    return this.#reach(name, partition)?.end;
  }

  /**
   * The last known bounds of a partition: tasks need them in every turn, so they are read once per change. Commits of
   * other processes are noticed a moment later, which is also when readers are woken for them.
   */
  #reach(name: string, partition: number): Reach | undefined {
    const place = `${name}/${partition}`;
    const heard = this.#reaches.get(place);
    if (heard !== undefined) return heard;
    const topic = this.#catalog.topics().get(name);
    if (topic === undefined || partition >= topic.partitions) return undefined;
    const { start, end } = this.#catalog.partition(topic.id, partition);
    const reach = { topicId: topic.id, id: String(topic.id), start, end };
    this.#reaches.set(place, reach);
    return reach;
  }

  /**
   * The batch that contains an offset, without the records below it; a promise while its codec is being loaded.
   *
   * @param id - The topic of the offset (default: the one that has the name now).
   */
  read(name: string, partition: number, offset: number, id?: string): FetchedBatch | Promise<void> | undefined {
    const place = { topic: name, partition };
    return this.#guard(place, () => {
      const { topicId, start, end } = this.#reachOf(place, id);
      if (offset === end) return undefined;
      // Sequential reading, the usual case, finds the next batch by its key.
      const next = offset >= start && offset < end ? this.#batches.bytes(topicId, partition, offset) : undefined;
      return next === undefined ? this.#readAround(place, offset, id) : this.#decode(next, place, offset, offset, end);
    });
  }

  /** @throws `ERR_TOPIC_RECREATED` when the name belongs to another topic than that; `ERR_UNKNOWN_TOPIC` and its like */
  #reachOf(place: TopicPartition, id: string | undefined): Reach {
    const reach = this.#reach(place.topic, place.partition);
    if (reach !== undefined && (id === undefined || id === reach.id)) return reach;
    const now = this.#catalog.topics().get(place.topic);
    if (id !== undefined && now !== undefined && String(now.id) !== id) throw topicRecreated(place);
    this.#refuse(place);
    // The partition was created a moment ago.
    return this.#reach(place.topic, place.partition) as Reach;
  }

  /** Reads at an offset where no batch starts, using the current bounds: records may have been removed a moment ago. */
  #readAround(place: TopicPartition, offset: number, id: string | undefined): FetchedBatch | Promise<void> | undefined {
    const { partition, topic: name } = place;
    this.#reaches.delete(`${name}/${partition}`);
    const { topicId, start, end } = this.#reachOf(place, id);
    if (offset < start || offset > end) throw outOfRange(place, offset, start, end);
    if (offset === end) return undefined;
    const found = this.#batches.find(topicId, partition, offset);
    if (found === undefined || found.baseOffset > offset) {
      return emptyFetch(offset, Math.min(found?.baseOffset ?? end, end), end);
    }
    return this.#decode(this.#batches.known(topicId, partition, found), place, found.baseOffset, offset, end);
  }

  #decode(
    bytes: Uint8Array,
    place: TopicPartition,
    baseOffset: number,
    from: number,
    end: number,
  ): FetchedBatch | Promise<void> {
    try {
      const batch = decodeBatch(bytes, 0, { ...place, maxOutputBytes: 1024 * 1024 * 1024 });
      if (batch.baseOffset !== baseOffset) {
        throw corruptBatch(`it says its offset is ${batch.baseOffset}`, { ...place, offset: baseOffset });
      }
      const skip = recordsBelow(batch.offsetDelta, baseOffset, from);
      return new FetchedRows(batch, baseOffset, batch.nextOffset, end, skip);
    } catch (error) {
      if (isUnreadable(error)) {
        // The range in the batch itself may be damaged; the index has a second copy.
        const known = this.#batches.find(
          (this.#reach(place.topic, place.partition) as Reach).topicId,
          place.partition,
          from,
        );
        if (known?.baseOffset === baseOffset) throw placed(error, baseOffset, known.nextOffset - 1);
      }
      const missing = error instanceof MillraceError && error.code === 'ERR_CODEC_NOT_LOADED';
      const compression = missing ? compressionOf(bytes, 0) : undefined;
      if (compression === undefined) throw error;
      return ensureCodec(compression);
    }
  }

  /** The first record at or after a time. It reads only the batch that contains it. */
  async offsetAt(topic: StoredTopic, partition: number, time: number): Promise<number> {
    const { start, end } = this.#catalog.partition(topic.id, partition);
    const first = this.#batches.find(topic.id, partition, start);
    for (const info of this.#batches.scan(topic.id, partition, first?.baseOffset ?? end)) {
      if (info.maxTimestamp < time) continue;
      const from = Math.max(start, info.baseOffset);
      let rows = this.read(topic.name, partition, from);
      if (rows instanceof Promise) {
        await rows;
        rows = this.read(topic.name, partition, from);
      }
      if (rows === undefined || rows instanceof Promise) continue;
      const index = rows.timestamp.findIndex((timestamp) => timestamp >= time);
      if (index >= 0) return rows.baseOffset + rows.offsetDelta[index]!;
    }
    return end;
  }

  /** Runs a read; converts errors of LMDB into Millrace errors with the place. */
  #guard<T>({ topic, partition }: TopicPartition, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof MillraceError) {
        if (error.errorClass !== 'store' || error.topic !== undefined) throw error;
        throw new StoreError(error.code, error.message, {
          topic,
          partition,
          ...(error.offset === undefined ? {} : { offset: error.offset }),
          ...(error.lastOffset === undefined ? {} : { lastOffset: error.lastOffset }),
          cause: error,
        });
      }
      throw new StoreError(
        'ERR_CORRUPT_LOG',
        `Reading failed: ${error instanceof Error ? error.message : String(error)}`,
        {
          topic,
          partition,
          cause: error,
          hint: 'stop all processes that use the folder and copy what is readable with salvage(path, target)',
        },
      );
    }
  }
}
