import type { TopicUse } from '../../dataflow/node.ts';
import type { InputConsumer, InputOrigin } from '../../dataflow/task-context.ts';
import { RecordError } from '../../errors.ts';
import { decodeKey, decodeValue, rawRecord } from '../../log/decode.ts';
import { TopicMeter } from '../../metrics/step-meters.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { announcementIn, isAnnouncement } from '../../protocol/time-announcement.ts';
import { type Headers, makeRecord, NO_HEADERS } from '../../record.ts';
import type { DeferredWork } from './deferred-work.ts';
import type { RecordTimes } from './record-times.ts';

/** Reports a record that cannot be used. */
export type RecordFailed = (error: unknown, step: string, meter: TopicMeter) => void;

/**
 * One partition of a topic, as a task reads it: the current batch, and the consumers for which each record is decoded.
 */
export class InputQueue {
  readonly use: TopicUse;
  readonly partition: number;
  /** Counts the records read from the topic, in all tasks of the process. */
  readonly meter: TopicMeter;
  readonly #consumers: InputConsumer[] = [];
  readonly #failed: RecordFailed;
  /** Its index among the queues of its task. */
  index = 0;
  /** Assigns timestamps, if the declaration of the topic has its own. */
  readonly times: RecordTimes | undefined;
  #batch: RecordColumns | undefined;
  #at = 0;
  /** The position before the first record of the batch that was processed. */
  #position: number;
  /** Index of the first record of the batch. */
  #first = 0;
  /** Whether records of the batch may have headers. */
  #withHeaders = true;
  /**
   * Ends of what the other inputs of the task had in open transactions when the records at hand arrived, by index;
   * `undefined` if they had none, or once it has been read.
   */
  awaits: readonly number[] | undefined;
  /** The offset up to which records had arrived then. */
  arrived = 0;
  /** Whether later ones are at hand, about which this is not known yet. */
  came = false;
  /** The last position handed to a commit; `undefined` before the first. */
  committed: number | undefined;
  /** Highest timestamp processed; −1 before the first. */
  streamTime = -1;
  /** Records with later timestamps are refused: one wrong clock would close every window. */
  latest: number = Number.MAX_SAFE_INTEGER;
  /** Receives announcements of tasks in the topic, which are not passed to consumers. */
  hear: ((topic: string, announcement: Uint8Array) => void) | undefined;

  constructor(
    use: TopicUse,
    partition: number,
    position: number,
    failed: RecordFailed,
    meter: TopicMeter = new TopicMeter(),
    times?: RecordTimes,
  ) {
    this.use = use;
    this.partition = partition;
    this.#position = position;
    this.meter = meter;
    this.#failed = failed;
    this.times = times;
  }

  add(consumer: InputConsumer): void {
    // Tables come first: a record is in the table before a stream of the same topic sees it.
    if (consumer.table) {
      this.#consumers.unshift(consumer);
      if (this.times !== undefined) this.times.tombstones = true;
    } else this.#consumers.push(consumer);
  }

  /**
   * Offset of the next record to process: what a commit after this turn covers. It is made when it is asked for, as no
   * step asks.
   */
  get position(): number {
    const batch = this.#batch;
    const last = this.#at - 1;
    if (batch === undefined || last < this.#first) return this.#position;
    return batch.baseOffset + (batch.offsetDelta[last] as number) + 1;
  }

  set position(position: number) {
    this.#position = position;
  }

  /** Whether anything reads it. */
  get consumed(): boolean {
    return this.#consumers.length > 0;
  }

  get empty(): boolean {
    return this.#batch === undefined;
  }

  /** Takes a fetched batch; the previous one must be used up. Records below the position are skipped. */
  push(batch: RecordColumns): void {
    let at = 0;
    while (at < batch.count && batch.baseOffset + (batch.offsetDelta[at] as number) < this.position) at += 1;
    this.#at = at;
    this.#first = at;
    this.#withHeaders = batch.mayHaveHeaders !== false;
    if (at < batch.count) {
      this.#batch = batch;
      this.times?.forget();
      this.#passAnnouncements();
    } else this.position = Math.max(this.position, batch.nextOffset);
  }

  /**
   * Timestamp of the record at the head; call only while not empty. A record that will be refused does not wait for its
   * time.
   */
  headTimestamp(): number {
    const timestamp = this.#timestamp(this.#batch as RecordColumns);
    return timestamp > this.latest ? -1 : timestamp;
  }

  #timestamp(batch: RecordColumns): number {
    if (this.times === undefined) return batch.timestamp[this.#at] as number;
    return this.times.at(batch, this.#at, this.streamTime);
  }

  /**
   * Processes the record at the head and moves past it.
   *
   * @param deferred - Deferred work of the record, which is done before that.
   */
  take(deferred: DeferredWork): void {
    const batch = this.#batch as RecordColumns;
    const at = this.#at;
    this.#process(batch, at);
    if (deferred.waiting) deferred.settle();
    this.#leave(batch, at);
    const next = at + 1;
    // Usually another record with a value follows, and nothing else needs checking.
    if (next < batch.count && (batch.valueLength[next] as number) >= 0) return;
    this.#passAnnouncements();
  }

  #process(batch: RecordColumns, at: number): void {
    this.meter.records += 1;
    const timestamp = this.#timestamp(batch);
    if (timestamp < 0 || timestamp > this.latest) this.#refuseTimestamp(timestamp);
    else {
      if (timestamp > this.streamTime) this.streamTime = timestamp;
      // An undecodable record is skipped as a whole and reported once.
      for (let index = 0; index < this.#consumers.length; index += 1)
        if (!this.#deliver(batch, at, index, timestamp)) break;
    }
  }

  #leave(batch: RecordColumns, at: number): void {
    this.#at = at + 1;
    this.times?.forget();
    if (at + 1 < batch.count) return;
    this.#position = batch.nextOffset;
    this.#batch = undefined;
  }

  #passAnnouncements(): void {
    let batch = this.#batch;
    while (batch !== undefined && isAnnouncement(batch, this.#at)) {
      this.hear?.(this.use.name, announcementIn(batch, this.#at) as Uint8Array);
      this.#leave(batch, this.#at);
      batch = this.#batch;
    }
  }

  complete(): void {
    for (const consumer of this.#consumers) consumer.complete();
  }

  /** The offset of the record at the head; use only while not empty. */
  get headOffset(): number {
    const batch = this.#batch as RecordColumns;
    return batch.baseOffset + (batch.offsetDelta[this.#at] as number);
  }

  /** The record at the head as it was read. */
  origin(): InputOrigin {
    const batch = this.#batch;
    if (batch === undefined) throw new Error('no record is being processed');
    return rawRecord(batch, this.#at, this.use.name, this.partition);
  }

  #deliver(batch: RecordColumns, at: number, index: number, timestamp: number): boolean {
    const consumer = this.#consumers[index] as InputConsumer;
    const { name } = this.use;
    let key: unknown;
    let value: unknown;
    let headers: Headers;
    try {
      const known = this.times?.decodedBy(consumer);
      key = known === undefined ? decodeKey(consumer.key, batch, at, name, consumer.tombstones) : known.key;
      value = known === undefined ? decodeValue(consumer.value, batch, at, name, consumer.tombstones) : known.value;
      headers = known?.headers ?? (this.#withHeaders ? batch.headers(at) : NO_HEADERS);
    } catch (error) {
      this.#failed(error, stepOf(consumer, name), this.meter);
      return false;
    }
    const offset = batch.baseOffset + (batch.offsetDelta[at] as number);
    const record = makeRecord(key, value, timestamp, headers, name, this.partition, offset);
    if (!consumer.table) {
      consumer.deliver(record);
      return true;
    }
    try {
      consumer.deliver(record);
      return true;
    } catch (error) {
      // A row that the table's store cannot keep.
      this.#failed(error, stepOf(consumer, name), this.meter);
      return false;
    }
  }

  #refuseTimestamp(timestamp: number): void {
    if (this.times?.failure !== undefined) {
      const [consumer] = this.#consumers;
      this.#failed(this.times.failure, stepOf(consumer as InputConsumer, this.use.name), this.meter);
      return;
    }
    const error =
      timestamp < 0 || timestamp > Number.MAX_SAFE_INTEGER
        ? new RecordError('ERR_TIMESTAMP', `the record has the timestamp ${timestamp}`, {
            hint:
              timestamp === -1
                ? 'its producer set none; a timestamp is a whole number of milliseconds since 1970'
                : 'a timestamp is a whole number of milliseconds since 1970, 2^53 − 1 at most: its producer may use another unit',
          })
        : new RecordError('ERR_FUTURE_TIMESTAMP', `the record's timestamp ${timestamp} is too far in the future`, {
            hint: 'it would close windows too early; fix the clock of its producer, or raise { maxFutureSkew }',
          });
    this.#failed(error, `topic(${this.use.name})`, this.meter);
  }
}

function stepOf({ table }: InputConsumer, topic: string): string {
  return `${table ? 'table' : 'topic'}(${topic})`;
}
