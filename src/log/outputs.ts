import type { Output } from '../dataflow/task-context.ts';
import { RecordError } from '../errors.ts';
import { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import type { Compression } from '../protocol/compression.ts';
import { type Headers, NO_HEADERS } from '../record.ts';
import { type OriginSource, Origins } from './origins.ts';
import type { OutgoingBatch, RecordOwner } from './transport.ts';

/** The known facts about an output topic. */
export interface OutputTopic {
  readonly partitions: number;
  readonly maxMessageBytes: number;
  readonly compression: Compression;
  /**
   * Size in bytes at which a batch is closed (default: 512 KiB, so that readers can start early). Never above the
   * limit.
   */
  readonly batchBytes?: number | undefined;
  /** Number of records at which a batch is closed. */
  readonly batchRecords?: number | undefined;
  /** Whether it is compacted: records without a key are then refused or lost. */
  readonly compacted?: boolean;
}

/** Room for what a batch adds to a record, in bytes: the batch header and the length fields of the record. */
export const OVERHEAD = 128;

const TARGET_BATCH_BYTES = 512 * 1024;

/** Size at which a batch is closed. */
function targetBytes({ batchBytes = TARGET_BATCH_BYTES, maxMessageBytes }: OutputTopic): number {
  return Math.min(batchBytes, maxMessageBytes);
}

/** Many batches have only a record or two; others double their buffer a few times. */
const FIRST_BYTES = 512;
const MAX_FREE_BUILDERS = 16;
/** A builder keeps the buffer it has grown to, so very large ones are released. */
const MAX_POOLED_BYTES = 1024 * 1024;

/** The records that a task has written since its last flush, encoded, by topic and partition. */
export class OutputBuffers {
  readonly #topics = new Map<string, TopicBuffer>();
  readonly #lookUp: (topic: string) => OutputTopic;
  readonly #pool: BuilderPool = new BuilderPool();
  readonly #fill: Fill = { bytes: 0 };

  readonly #owner: (RecordOwner & OriginSource) | undefined;

  /** @param owner - The owner of the records, if there is one to decide about refused records. */
  constructor(lookUp: (topic: string) => OutputTopic, owner?: RecordOwner & OriginSource) {
    this.#lookUp = lookUp;
    this.#owner = owner;
  }

  topic(name: string): Output {
    let buffer = this.#topics.get(name);
    if (buffer === undefined) {
      buffer = new TopicBuffer(name, this.#lookUp(name), this.#pool, this.#fill, this.#owner);
      this.#topics.set(name, buffer);
    }
    return buffer;
  }

  /** @throws RecordError `ERR_RECORD_TOO_LARGE` for a record that is too large for a topic. */
  check(name: string, key: Uint8Array | null, value: Uint8Array | null): void {
    const { maxMessageBytes } = this.#lookUp(name);
    if (recordBound(key, value, NO_HEADERS) > maxMessageBytes) {
      checkAlone(name, maxMessageBytes, key, value, NO_HEADERS);
    }
  }

  /** The known facts about a topic. */
  limits(name: string): OutputTopic {
    return this.#lookUp(name);
  }

  /** Encoded bytes that were written since the last call of `take`. Looked at for each record. */
  get bytes(): number {
    return this.#fill.bytes;
  }

  /** Returns everything written since the last call. */
  take(): OutgoingBatch[] {
    const batches: OutgoingBatch[] = [];
    for (const buffer of this.#topics.values()) buffer.take(batches);
    this.#fill.bytes = 0;
    return batches;
  }

  /** Discards records written since the last call of `take`, by the numbers of their input records. */
  discard(unwanted: (origin: number) => boolean): void {
    this.#fill.bytes = 0;
    for (const buffer of this.#topics.values()) this.#fill.bytes += buffer.discard(unwanted);
  }

  /** Returns the builders of batches that were taken and have been copied, for reuse. */
  recycle(batches: readonly OutgoingBatch[]): void {
    for (const batch of batches) this.#pool.put(batch);
  }
}

/** Encoded bytes in all topics, of open builders too. */
interface Fill {
  bytes: number;
}

/** Builders for reuse: creating one costs more than filling it with a record or two. */
class BuilderPool {
  readonly #free: RecordBatchBuilder[] = [];

  readonly #origins: Origins[] = [];

  get(): RecordBatchBuilder {
    return this.#free.pop() ?? new RecordBatchBuilder(FIRST_BYTES);
  }

  origins(): Origins {
    return this.#origins.pop() ?? new Origins();
  }

  put({ origins, records }: OutgoingBatch): void {
    if (this.#free.length >= MAX_FREE_BUILDERS || records.sizeInBytes > MAX_POOLED_BYTES) return;
    records.reset();
    this.#free.push(records);
    if (origins === undefined) return;
    origins.reset();
    this.#origins.push(origins);
  }
}

class TopicBuffer implements Output {
  readonly topic: string;
  readonly partitions: number;
  readonly #limits: OutputTopic;
  readonly #limitBytes: number;
  readonly #limitRecords: number;
  readonly #owner: (RecordOwner & OriginSource) | undefined;
  #open: (RecordBatchBuilder | undefined)[];
  #origins: (Origins | undefined)[];
  #closed: OutgoingBatch[] = [];
  #sticky = 0;

  readonly #pool: BuilderPool;
  readonly #fill: Fill;

  constructor(
    topic: string,
    limits: OutputTopic,
    pool: BuilderPool,
    fill: Fill,
    owner: (RecordOwner & OriginSource) | undefined,
  ) {
    this.#pool = pool;
    this.#fill = fill;
    this.#owner = owner;
    this.topic = topic;
    this.partitions = limits.partitions;
    this.#limits = limits;
    this.#limitBytes = targetBytes(limits);
    this.#limitRecords = limits.batchRecords ?? Number.POSITIVE_INFINITY;
    this.#open = new Array<undefined>(limits.partitions).fill(undefined);
    this.#origins = new Array<undefined>(limits.partitions).fill(undefined);
  }

  append(
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: Headers,
  ): void {
    const target = partition < 0 ? this.#sticky : partition;
    const size = recordBound(key, value, headers);
    let builder = this.#open[target];
    if (builder !== undefined && this.#full(builder, size)) {
      this.#close(target, builder);
      builder = undefined;
    }
    if (builder === undefined) {
      builder = this.#pool.get();
      this.#open[target] = builder;
      this.#fill.bytes += builder.sizeInBytes;
      if (this.#owner !== undefined) this.#origins[target] = this.#pool.origins();
    }
    const { maxMessageBytes } = this.#limits;
    if (size > maxMessageBytes) checkAlone(this.topic, maxMessageBytes, key, value, headers);
    const before = builder.sizeInBytes;
    builder.append(timestamp, key, value, headers);
    this.#fill.bytes += builder.sizeInBytes - before;
    if (this.#owner !== undefined) (this.#origins[target] as Origins).add(this.#owner.originCode(), this.#owner.row);
  }

  #full({ count, sizeInBytes }: RecordBatchBuilder, more: number): boolean {
    return count > 0 && (sizeInBytes + more > this.#limitBytes || count >= this.#limitRecords);
  }

  take(into: OutgoingBatch[]): void {
    for (let partition = 0; partition < this.#open.length; partition += 1) {
      const builder = this.#open[partition];
      if (builder !== undefined && builder.count > 0) this.#close(partition, builder);
    }
    into.push(...this.#closed);
    if (this.#closed.length > 0) this.#sticky = (this.#sticky + 1) % this.partitions;
    this.#closed = [];
  }

  /** @returns Encoded bytes of what is left. */
  discard(unwanted: (origin: number) => boolean): number {
    for (const [partition, builder] of this.#open.entries()) if (builder !== undefined) this.#close(partition, builder);
    const kept: OutgoingBatch[] = [];
    for (const batch of this.#closed) {
      if (!batch.origins?.some(unwanted)) {
        kept.push(batch);
        continue;
      }
      const records = this.#pool.get();
      const origins = this.#pool.origins();
      const cursor = batch.records.cursor();
      for (let index = 0; cursor.next(); index += 1) {
        const { code, row } = batch.origins.at(index);
        if (unwanted(code)) continue;
        records.appendFrom(cursor);
        origins.add(code, row);
      }
      this.#pool.put(batch);
      if (records.count > 0) kept.push({ ...batch, records, origins });
    }
    this.#closed = kept;
    return kept.reduce((sum, { records }) => sum + records.sizeInBytes, 0);
  }

  #close(partition: number, records: RecordBatchBuilder): void {
    const { compression } = this.#limits;
    const owner = this.#owner;
    const origins = this.#origins[partition];
    const batch = { topic: this.topic, partition, records, compression };
    this.#closed.push(owner === undefined || origins === undefined ? batch : { ...batch, owner, origins });
    this.#origins[partition] = undefined;
    this.#open[partition] = undefined;
  }
}

/** The bound counts three bytes per character: measure exactly before refusing. */
function checkAlone(
  topic: string,
  maxMessageBytes: number,
  key: Uint8Array | string | null,
  value: Uint8Array | string | null,
  headers: Headers,
): void {
  const alone = new RecordBatchBuilder();
  alone.append(0, key, value, headers);
  const size = alone.sizeInBytes;
  if (size <= maxMessageBytes) return;
  throw new RecordError('ERR_RECORD_TOO_LARGE', `a record of ${size} bytes is too large for topic ${topic}`, {
    topic,
    written: 'no',
    hint: `the topic takes up to ${maxMessageBytes} bytes: raise its maxMessageBytes or write smaller records`,
  });
}

/** Upper bound for the size of a batch with only this record, in bytes. */
function recordBound(key: Uint8Array | string | null, value: Uint8Array | string | null, headers: Headers): number {
  return upperBound(key) + upperBound(value) + headersBound(headers) + OVERHEAD;
}

function upperBound(data: Uint8Array | string | null): number {
  if (data === null) return 0;
  return typeof data === 'string' ? data.length * 3 : data.length;
}

function headersBound(headers: Headers): number {
  let size = 0;
  for (const [name, value] of headers) size += name.length * 3 + (value?.length ?? 0) + 10;
  return size;
}
