import { RecordError } from '../errors.ts';
import { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import type { Compression } from '../protocol/compression.ts';
import type { Headers } from '../record.ts';
import type { Output } from '../topology/task-context.ts';
import type { OutgoingBatch } from './transport.ts';

/** What is known about a topic that is written to. */
export interface OutputTopic {
  readonly partitions: number;
  readonly maxMessageBytes: number;
  readonly compression: Compression;
}

/** Room for what a batch adds to a record: its header, and the record's own length fields. */
const OVERHEAD = 128;

/** Batches are closed at this size even where a topic allows more, so that readers can start early. */
const TARGET_BATCH_BYTES = 512 * 1024;

/** The records that a task has written since its last flush, encoded, by topic and partition. */
export class OutputBuffers {
  readonly #topics = new Map<string, TopicBuffer>();
  readonly #lookUp: (topic: string) => OutputTopic;

  constructor(lookUp: (topic: string) => OutputTopic) {
    this.#lookUp = lookUp;
  }

  topic(name: string): Output {
    let buffer = this.#topics.get(name);
    if (buffer === undefined) {
      buffer = new TopicBuffer(name, this.#lookUp(name));
      this.#topics.set(name, buffer);
    }
    return buffer;
  }

  get bytes(): number {
    let sum = 0;
    for (const buffer of this.#topics.values()) sum += buffer.bytes;
    return sum;
  }

  /** Hands over everything written since the last call. */
  take(): OutgoingBatch[] {
    const batches: OutgoingBatch[] = [];
    for (const buffer of this.#topics.values()) buffer.take(batches);
    return batches;
  }
}

class TopicBuffer implements Output {
  readonly topic: string;
  readonly partitions: number;
  readonly #limits: OutputTopic;
  readonly #limitBytes: number;
  #open: (RecordBatchBuilder | undefined)[];
  #closed: OutgoingBatch[] = [];
  #closedBytes = 0;
  #sticky = 0;

  constructor(topic: string, limits: OutputTopic) {
    this.topic = topic;
    this.partitions = limits.partitions;
    this.#limits = limits;
    this.#limitBytes = Math.min(TARGET_BATCH_BYTES, limits.maxMessageBytes);
    this.#open = new Array<undefined>(limits.partitions).fill(undefined);
  }

  get bytes(): number {
    let sum = this.#closedBytes;
    for (const builder of this.#open) if (builder !== undefined) sum += builder.sizeInBytes;
    return sum;
  }

  append(
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: Headers,
  ): void {
    const target = partition < 0 ? this.#sticky : partition;
    const size = upperBound(key) + upperBound(value) + headersBound(headers) + OVERHEAD;
    let builder = this.#open[target];
    if (builder !== undefined && builder.count > 0 && builder.sizeInBytes + size > this.#limitBytes) {
      this.#close(target, builder);
      builder = undefined;
    }
    if (builder === undefined) {
      builder = new RecordBatchBuilder();
      this.#open[target] = builder;
    }
    if (size > this.#limits.maxMessageBytes) this.#checkAlone(key, value, headers);
    builder.append(timestamp, key, value, headers);
  }

  take(into: OutgoingBatch[]): void {
    for (let partition = 0; partition < this.#open.length; partition += 1) {
      const builder = this.#open[partition];
      if (builder !== undefined && builder.count > 0) this.#close(partition, builder);
    }
    into.push(...this.#closed);
    if (this.#closed.length > 0) this.#sticky = (this.#sticky + 1) % this.partitions;
    this.#closed = [];
    this.#closedBytes = 0;
  }

  #close(partition: number, records: RecordBatchBuilder): void {
    this.#closed.push({ topic: this.topic, partition, records, compression: this.#limits.compression });
    this.#closedBytes += records.sizeInBytes;
    this.#open[partition] = undefined;
  }

  /** The bound counts three bytes per character: measure exactly before refusing. */
  #checkAlone(key: Uint8Array | string | null, value: Uint8Array | string | null, headers: Headers): void {
    const alone = new RecordBatchBuilder();
    alone.append(0, key, value, headers);
    const size = alone.sizeInBytes;
    if (size <= this.#limits.maxMessageBytes) return;
    throw new RecordError('ERR_RECORD_TOO_LARGE', `a record of ${size} bytes is too large for topic ${this.topic}`, {
      topic: this.topic,
      written: 'no',
      hint: `the topic takes up to ${this.#limits.maxMessageBytes} bytes: raise its maxMessageBytes or write less`,
    });
  }
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
