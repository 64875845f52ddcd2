import { StoreError } from '../../errors.ts';
import type { StoredBatchInfo } from '../local/retention.ts';
import { offsetOfKey, recordKey } from './keys.ts';
import type { Databases } from './lmdb.ts';
import { decodeIndex, encodeIndex, type IndexEntry } from './partition-state.ts';
import { seal, unseal } from './sealed.ts';

/** The batches of all partitions. Reads see the surrounding write transaction, or else the last commit. */
export class Batches {
  readonly #db: Databases;

  constructor(db: Databases) {
    this.#db = db;
  }

  put(topicId: number, partition: number, baseOffset: number, batch: Uint8Array, entry: IndexEntry): void {
    const key = recordKey(topicId, partition, baseOffset);
    this.#db.log.putSync(key, batch);
    this.#db.index.putSync(key, seal(key, encodeIndex(entry)));
  }

  remove(topicId: number, partition: number, baseOffset: number): void {
    const key = recordKey(topicId, partition, baseOffset);
    this.#db.log.removeSync(key);
    this.#db.index.removeSync(key);
  }

  /** The bytes of the batch with exactly this base offset. They belong to the caller. */
  bytes(topicId: number, partition: number, baseOffset: number): Uint8Array | undefined {
    return this.#db.log.getBinary(recordKey(topicId, partition, baseOffset));
  }

  /** Like `bytes`, for a batch in the index. @throws StoreError `ERR_CORRUPT_BATCH` */
  known(topicId: number, partition: number, { baseOffset, nextOffset }: StoredBatchInfo): Uint8Array {
    const bytes = this.bytes(topicId, partition, baseOffset);
    if (bytes !== undefined) return bytes;
    throw new StoreError('ERR_CORRUPT_BATCH', 'A record batch that the index names is missing', {
      offset: baseOffset,
      lastOffset: nextOffset - 1,
      hint: 'these records are lost; continue after them deliberately, or copy what is readable with salvage(path, target)',
    });
  }

  /** The first batch that reaches past an offset. */
  find(topicId: number, partition: number, offset: number): StoredBatchInfo | undefined {
    const at = recordKey(topicId, partition, offset);
    const before = { start: at, end: recordKey(topicId, partition, 0), inclusiveEnd: true, reverse: true, limit: 1 };
    for (const { key, value } of this.#db.index.getRange(before)) {
      const info = infoOf(key, value);
      if (info.nextOffset > offset) return info;
    }
    for (const info of this.from(topicId, partition, offset, 1)) return info;
    return undefined;
  }

  /** Batches whose base offset is at or after an offset, in order. */
  from(topicId: number, partition: number, offset: number, limit: number): StoredBatchInfo[] {
    const start = recordKey(topicId, partition, offset);
    const end = recordKey(topicId, partition + 1, 0);
    const infos: StoredBatchInfo[] = [];
    for (const { key, value } of this.#db.index.getRange({ start, end, limit })) infos.push(infoOf(key, value));
    return infos;
  }

  /** All batches from an offset on, in chunks, so that no snapshot is held between them. */
  *scan(topicId: number, partition: number, offset: number): Generator<StoredBatchInfo> {
    let next = offset;
    for (;;) {
      const chunk = this.from(topicId, partition, next, 256);
      yield* chunk;
      const last = chunk.at(-1);
      if (last === undefined || chunk.length < 256) return;
      next = last.nextOffset;
    }
  }
}

function infoOf(key: Uint8Array, value: Uint8Array): StoredBatchInfo {
  return { baseOffset: offsetOfKey(key), ...decodeIndex(unseal(key, value, 'an entry of the index')) };
}
