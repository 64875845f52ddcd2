import type { Clock } from '../../dataflow/clock.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import type { InputConsumer } from '../../dataflow/task-context.ts';
import { RecordError } from '../../errors.ts';
import { decodeKey, decodeValue } from '../../log/decode.ts';
import { settledNumber } from '../../options/promises.ts';
import type { TimestampContext } from '../../options/timestamps.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { makeRecord, type StreamRecord } from '../../record.ts';

/** Prefix of the partition time in the metadata of a position. */
const MARK = '@';

/** The partition time from the metadata of a start position; −1 if there is none. */
export function keptTime(kept: string | undefined): number {
  const text = kept?.split(';').find((part) => part.startsWith(MARK));
  return text === undefined ? -1 : Number.parseInt(text.slice(MARK.length), 36);
}

/** Gives the records of a source the timestamps of its declaration, when they reach the head of their partition. */
export class RecordTimes implements TimestampContext {
  partitionTime = -1;
  /** Why the record at the head has no timestamp; `undefined` if it has one. */
  failure: unknown;
  /** Whether a table reads the topic: deletions are then records like any other. */
  tombstones = false;
  readonly #use: TopicUse;
  readonly #partition: number;
  readonly #clock: Clock | undefined;
  /** The record at the head with the timestamp from the topic, if it had to be decoded to determine its own. */
  #record: StreamRecord<unknown, unknown> | undefined;
  #known = false;
  #time = -1;

  constructor(use: TopicUse, partition: number, clock: Clock | undefined) {
    this.#use = use;
    this.#partition = partition;
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock?.now() ?? -1;
  }

  /** Called when another record reaches the head. */
  forget(): void {
    this.#known = false;
    this.failure = undefined;
    this.#record = undefined;
  }

  /** Timestamp of the record at the head, determined on first use; −1 if {@link failure} says why there is none. */
  at(batch: RecordColumns, at: number, partitionTime: number): number {
    if (this.#known) return this.#time;
    this.#known = true;
    this.partitionTime = partitionTime;
    try {
      this.#time = this.#timeOf(batch, at);
    } catch (error) {
      this.failure = error;
      this.#time = -1;
    }
    return this.#time;
  }

  /** The record at the head as a consumer would decode it, if it has been decoded. */
  decodedBy({ key, tombstones, value }: InputConsumer): StreamRecord<unknown, unknown> | undefined {
    const sameWay = key === this.#use.key && value === this.#use.value && tombstones === this.tombstones;
    return sameWay ? this.#record : undefined;
  }

  /** Metadata with the partition time for the position, if timestamps may depend on it. */
  mark(partitionTime: number): string | undefined {
    const { onInvalidTimestamp, timestamp } = this.#use;
    const depends = timestamp !== undefined || onInvalidTimestamp === 'partition-time';
    return depends && partitionTime >= 0 ? `${MARK}${partitionTime.toString(36)}` : undefined;
  }

  #timeOf(batch: RecordColumns, at: number): number {
    const { onInvalidTimestamp, timestamp } = this.#use;
    const own = batch.timestamp[at] as number;
    const told = timestamp === undefined ? own : settledNumber(timestamp(...this.#decoded(batch, at, own)));
    if (isTime(told)) return told;
    const time = this.#instead(own);
    if (isTime(time)) return time;
    const { name } = this.#use;
    const source =
      timestamp === undefined ? 'the record has the timestamp' : `the timestamp option of ${name} returned`;
    const also = onInvalidTimestamp === 'partition-time' ? ', and no record before it has one' : '';
    throw new RecordError('ERR_TIMESTAMP', `${source} ${told}${also}`, {
      hint:
        'a timestamp is a whole number of milliseconds since 1970, 2^53 − 1 at most; onInvalidTimestamp says what records ' +
        'without one get',
    });
  }

  #instead(own: number): number {
    const { onInvalidTimestamp } = this.#use;
    if (onInvalidTimestamp === 'record-time') return own;
    if (onInvalidTimestamp === 'partition-time') return this.partitionTime;
    return onInvalidTimestamp === 'wall-clock' ? this.now : -1;
  }

  #decoded(batch: RecordColumns, at: number, own: number): [never, StreamRecord<never, never>, TimestampContext] {
    const { key, name, value } = this.#use;
    const offset = batch.baseOffset + (batch.offsetDelta[at] as number);
    const record = makeRecord(
      decodeKey(key, batch, at, name, this.tombstones),
      decodeValue(value, batch, at, name, this.tombstones),
      own,
      batch.headers(at),
      name,
      this.#partition,
      offset,
    );
    this.#record = record;
    return [record.value as never, record as StreamRecord<never, never>, this];
  }
}

function isTime(timestamp: number): boolean {
  return Number.isSafeInteger(timestamp) && timestamp >= 0;
}
