import { MillraceError, RecordError } from '../errors.ts';
import type { RecordColumns } from '../protocol/columns.ts';
import { makeRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { TopicUse } from '../topology/node.ts';
import type { InputConsumer, InputOrigin } from '../topology/task-context.ts';

/** Says that a record cannot be used. */
export type RecordFailed = (error: unknown, step: string) => void;

/**
 * One topic's partition as a task reads it: the batch at hand, and the consumers that each record is decoded for.
 */
export class InputQueue {
  readonly use: TopicUse;
  readonly partition: number;
  readonly #consumers: InputConsumer[] = [];
  readonly #failed: RecordFailed;
  #batch: RecordColumns | undefined;
  #at = 0;
  /** Offset of the next record to process: what a commit after this turn covers. */
  position: number;
  /** Highest timestamp processed; −1 before the first. */
  streamTime = -1;

  constructor(use: TopicUse, partition: number, position: number, failed: RecordFailed) {
    this.use = use;
    this.partition = partition;
    this.position = position;
    this.#failed = failed;
  }

  add(consumer: InputConsumer): void {
    // Tables first: a record is in the table before a stream of the same topic sees it.
    if (consumer.table) this.#consumers.unshift(consumer);
    else this.#consumers.push(consumer);
  }

  get empty(): boolean {
    return this.#batch === undefined;
  }

  /** Takes a fetched batch; the one before must have been used up. Records below the position are passed over. */
  push(batch: RecordColumns): void {
    let at = 0;
    while (at < batch.count && batch.baseOffset + (batch.offsetDelta[at] as number) < this.position) at += 1;
    this.#at = at;
    if (at < batch.count) this.#batch = batch;
    else this.position = Math.max(this.position, batch.nextOffset);
  }

  /** Timestamp of the record at the head; only while not empty. */
  headTimestamp(): number {
    return (this.#batch as RecordColumns).timestamp[this.#at] as number;
  }

  /** Processes the head record and moves on. */
  process(): void {
    const batch = this.#batch as RecordColumns;
    const at = this.#at;
    const timestamp = batch.timestamp[at] as number;
    if (timestamp > this.streamTime) this.streamTime = timestamp;
    if (timestamp < 0) this.#refuseTimestamp(timestamp);
    else for (let index = 0; index < this.#consumers.length; index += 1) this.#deliver(batch, at, index);
    this.#at = at + 1;
    if (this.#at < batch.count) {
      this.position = batch.baseOffset + (batch.offsetDelta[at] as number) + 1;
    } else {
      this.position = batch.nextOffset;
      this.#batch = undefined;
    }
  }

  complete(): void {
    for (const consumer of this.#consumers) consumer.complete();
  }

  /** The head record as it was read. */
  origin(): InputOrigin {
    const batch = this.#batch;
    if (batch === undefined) throw new Error('no record is being processed');
    const at = this.#at;
    return {
      topic: this.use.name,
      partition: this.partition,
      offset: batch.baseOffset + (batch.offsetDelta[at] as number),
      timestamp: batch.timestamp[at] as number,
      key: slice(batch.bytes, batch.keyStart[at] as number, batch.keyLength[at] as number),
      value: slice(batch.bytes, batch.valueStart[at] as number, batch.valueLength[at] as number),
      headers: batch.headers(at),
    };
  }

  #deliver(batch: RecordColumns, at: number, index: number): void {
    const consumer = this.#consumers[index] as InputConsumer;
    const { name } = this.use;
    let key: unknown;
    let value: unknown;
    try {
      key = consumer.key === undefined ? null : this.#key(consumer.key, batch, at, consumer.tombstones);
      value = this.#value(consumer.value, batch, at, consumer.tombstones);
    } catch (error) {
      this.#failed(error, `${consumer.table ? 'table' : 'topic'}(${name})`);
      return;
    }
    const offset = batch.baseOffset + (batch.offsetDelta[at] as number);
    const timestamp = batch.timestamp[at] as number;
    consumer.deliver(makeRecord(key, value, timestamp, batch.headers(at), name, this.partition, offset));
  }

  #key(serde: Serde<unknown>, batch: RecordColumns, at: number, lenient: boolean): unknown {
    const length = batch.keyLength[at] as number;
    if (length >= 0) return decode(serde, batch.bytes, batch.keyStart[at] as number, length);
    if (serde.nullable === true || lenient) return null;
    throw new RecordError('ERR_NULL_KEY', 'the record has no key', {
      hint: `if records without a key belong in ${this.use.name}, give it the key serde nullable(${serde.name}())`,
    });
  }

  #value(serde: Serde<unknown>, batch: RecordColumns, at: number, lenient: boolean): unknown {
    const length = batch.valueLength[at] as number;
    if (length >= 0) return decode(serde, batch.bytes, batch.valueStart[at] as number, length);
    if (serde.nullable === true || lenient) return null;
    throw new RecordError('ERR_NULL_VALUE', 'the record has no value (a tombstone)', {
      hint: `if deletions belong in ${this.use.name}, give it the value serde nullable(${serde.name}(…)), or read it as a table`,
    });
  }

  #refuseTimestamp(timestamp: number): void {
    const error = new RecordError('ERR_TIMESTAMP', `the record has the timestamp ${timestamp}`, {
      hint: 'its producer set none; a timestamp is a whole number of milliseconds since 1970',
    });
    this.#failed(error, `topic(${this.use.name})`);
  }
}

function decode(serde: Serde<unknown>, bytes: Uint8Array, start: number, length: number): unknown {
  try {
    if (serde.decodeRange !== undefined) return serde.decodeRange(bytes, start, start + length);
    return serde.deserialize(bytes.subarray(start, start + length));
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new RecordError('ERR_DECODE', `the serde ${serde.name} failed`, { cause: error });
  }
}

function slice(bytes: Uint8Array, start: number, length: number): Uint8Array | null {
  return length < 0 ? null : bytes.slice(start, start + length);
}
