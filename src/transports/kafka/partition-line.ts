import type { MillraceError } from '../../errors.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { SEQUENCES, sequenceAfter, stampProducer } from './stamp-producer.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** A batch on its way. */
export interface QueuedBatch extends EncodedBatch {
  readonly deadline: number;
  readonly resolve: (baseOffset: number) => void;
  readonly reject: (error: MillraceError) => void;
  /** Position in the line, from the first batch on. */
  order: number;
  sequence: number;
  /** Whether an attempt ended without an answer, so that the batch may be in the log. */
  uncertain: boolean;
}

/** Brokers recognise a repetition among the last five batches of a producer in a partition. */
const MAX_IN_FLIGHT = 5;

/**
 * The batches for one partition, in order: those that wait, and those that are under way. After a failure nothing more is
 * sent until all that is under way has been answered; then what is left is sent again in order, with the same sequence
 * numbers where the log may have them.
 */
export class PartitionLine {
  readonly topic: string;
  readonly partition: number;
  #waiting: QueuedBatch[] = [];
  readonly #inFlight: QueuedBatch[] = [];
  #failed: QueuedBatch[] = [];
  #identity: ProducerIdentity | undefined;
  #renewing = false;
  #orders = 0;
  #nextSequence = 0;
  #ackedSequence = 0;
  #cautious = false;
  #attempts = 0;
  /** Nothing is sent before this time (`performance.now`). */
  pausedUntil = 0;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** Who writes here. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** Begins with another producer, with sequence numbers from 0 unless it goes on from others. */
  identify(identity: ProducerIdentity | undefined, sequence = 0): void {
    this.#identity = identity;
    this.#renewing = false;
    this.#nextSequence = sequence;
    this.#ackedSequence = sequence;
    // A broker takes any number from a producer that it does not know: the first batch must be the first one there.
    this.#cautious = true;
  }

  /** The producer id is of no use any more; another one is due as soon as nothing is under way. */
  renew(): void {
    this.#renewing = true;
  }

  get mustRenew(): boolean {
    return this.#renewing && this.#inFlight.length === 0;
  }

  /** How many times in a row sending has failed. */
  get attempts(): number {
    return this.#attempts;
  }

  get head(): QueuedBatch | undefined {
    return this.#waiting[0];
  }

  /** Whether a batch may be sent now. */
  isReady(now: number): boolean {
    if (this.#waiting.length === 0 || this.#failed.length > 0 || this.#renewing || now < this.pausedUntil) return false;
    return this.#inFlight.length < (this.#cautious ? 1 : MAX_IN_FLIGHT);
  }

  add(batch: QueuedBatch): void {
    batch.order = this.#orders++;
    this.#waiting.push(batch);
  }

  /** Takes the next batch to be sent, stamped with its producer and sequence. */
  take(identity: ProducerIdentity): QueuedBatch {
    const batch = this.#waiting.shift() as QueuedBatch;
    // What lies before an acknowledged batch is in the log, and its repetition must be recognised there.
    if (!batch.uncertain || distance(this.#nextSequence, batch.sequence) <= 0) {
      batch.sequence = this.#nextSequence;
      this.#nextSequence = sequenceAfter(batch.sequence, batch.count);
    }
    stampProducer(batch.bytes, identity, batch.sequence);
    this.#inFlight.push(batch);
    return batch;
  }

  /** Whether a batch is the first of those that are not acknowledged. */
  isFirst({ order }: QueuedBatch): boolean {
    return [...this.#inFlight, ...this.#failed].every((other) => other.order >= order);
  }

  acknowledged(batch: QueuedBatch): void {
    this.#remove(batch);
    const after = sequenceAfter(batch.sequence, batch.count);
    if (distance(after, this.#ackedSequence) > 0) this.#ackedSequence = after;
    this.#attempts = 0;
    this.#cautious = this.#failed.length > 0;
    this.#settle();
  }

  /** The batch is to be sent again. */
  failed(batch: QueuedBatch, uncertain: boolean): void {
    if (uncertain) batch.uncertain = true;
    this.#remove(batch);
    this.#failed.push(batch);
    this.#cautious = true;
    this.#settle();
  }

  /** The batch is given up, and is certainly not in the log: those behind it take its place. */
  refused(batch: QueuedBatch): void {
    this.#remove(batch);
    this.#cautious = true;
    this.#settle();
  }

  /** Gives up all waiting batches that match. */
  drop(matches: (batch: QueuedBatch) => boolean): QueuedBatch[] {
    const dropped = this.#waiting.filter(matches);
    if (dropped.length > 0) this.#waiting = this.#waiting.filter((batch) => !dropped.includes(batch));
    return dropped;
  }

  #remove(batch: QueuedBatch): void {
    const at = this.#inFlight.indexOf(batch);
    if (at >= 0) this.#inFlight.splice(at, 1);
  }

  /** Once everything under way has been answered, what failed goes back to the front, in order. */
  #settle(): void {
    if (this.#inFlight.length > 0 || !this.#cautious) return;
    this.#nextSequence = this.#ackedSequence;
    if (this.#failed.length === 0) return;
    this.#waiting.unshift(...this.#failed.sort((a, b) => a.order - b.order));
    this.#failed = [];
    this.#attempts++;
  }
}

/** How far a sequence number is ahead of another, on their circle. */
function distance(sequence: number, from: number): number {
  const ahead = (sequence - from + SEQUENCES) % SEQUENCES;
  return ahead < SEQUENCES / 2 ? ahead : ahead - SEQUENCES;
}
