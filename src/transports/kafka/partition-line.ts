import type { MillraceError } from '../../errors.ts';
import type { AppendResult } from '../../log/transport.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { SEQUENCES, sequenceAfter, stampProducer } from './stamp-producer.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** A queued batch. */
export interface QueuedBatch extends EncodedBatch {
  readonly deadline: number;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: MillraceError) => void;
  /** Position in the line; parts of a batch have fractions. */
  order: number;
  /** The width in the line: 1, or less for a part. */
  width: number;
  /** The sequence number of its first record, as last sent. */
  sequence: number;
  /** Whether it may be in the log: an attempt ended without a response, or with one that does not rule it out. */
  uncertain: boolean;
  /**
   * Whether an earlier batch was given up while this one was in flight, so that the broker misses sequence numbers
   * before it.
   */
  displaced: boolean;
}

/** Creates a batch that has not been sent. */
export const queuedBatch = (
  batch: EncodedBatch,
  ends: Pick<QueuedBatch, 'deadline' | 'resolve' | 'reject'>,
): QueuedBatch => ({ ...batch, ...ends, order: 0, width: 1, sequence: 0, uncertain: false, displaced: false });

/** Where a batch was written. */
export type Written = Omit<AppendResult, 'topic' | 'partition'>;

/** Brokers recognise duplicates among the last five batches of a producer in a partition. */
const MAX_IN_FLIGHT = 5;

/**
 * The waiting and in-flight batches of one partition, in order. After a failure nothing more is sent until all batches
 * in flight have been answered; the rest is then sent again in order. A batch that may be in the log keeps its producer
 * and sequence number until its outcome is certain, because the broker only recognises it by these; a batch that is
 * certainly not in the log gets the next number.
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
  /** Nothing is sent before this time (monotonic). */
  pausedUntil = 0;
  /** Whether its producer or its leader is looked up. Two look-ups at a time could replace the producer of a sent batch. */
  preparing = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  /** The current producer. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** Starts with another producer, with sequence numbers from 0 by default. */
  identify(identity: ProducerIdentity | undefined, sequence = 0): void {
    this.#identity = identity;
    this.#renewing = false;
    this.#nextSequence = sequence;
    this.#ackedSequence = sequence;
    // A broker accepts any number from an unknown producer, so the first batch must arrive first.
    this.#cautious = true;
  }

  /**
   * The producer id is no longer usable; a new one is needed as soon as nothing is in flight. A first batch that may be
   * in the log is sent before that, because only the old producer id can resolve it.
   */
  renew(): void {
    this.#renewing = true;
  }

  get mustRenew(): boolean {
    return this.#renewing && this.#inFlight.length === 0 && this.#waiting[0]?.uncertain !== true;
  }

  /** Number of consecutive failed sends. */
  get attempts(): number {
    return this.#attempts;
  }

  get head(): QueuedBatch | undefined {
    return this.#waiting[0];
  }

  /** Whether a batch may be sent now. */
  isReady(now: number): boolean {
    const { head } = this;
    if (head === undefined || this.preparing || this.#failed.length > 0 || now < this.pausedUntil) return false;
    if (this.#renewing) return head.uncertain && this.#inFlight.length === 0;
    return this.#inFlight.length < (this.#cautious ? 1 : MAX_IN_FLIGHT);
  }

  add(batch: QueuedBatch): void {
    batch.order = this.#orders++;
    this.#waiting.push(batch);
  }

  /** Takes the next batch to send, stamped with its producer and sequence. */
  take(identity: ProducerIdentity): QueuedBatch {
    const batch = this.#waiting.shift() as QueuedBatch;
    if (!batch.uncertain) batch.sequence = this.#nextSequence;
    const after = sequenceAfter(batch.sequence, batch.count);
    if (distance(after, this.#nextSequence) > 0) this.#nextSequence = after;
    batch.displaced = false;
    stampProducer(batch.bytes, identity, batch.sequence);
    this.#inFlight.push(batch);
    return batch;
  }

  /** Whether the broker refuses a batch's sequence number only because of an earlier batch. */
  isBehind({ displaced, order }: QueuedBatch): boolean {
    const before = (other: QueuedBatch): boolean => other.order < order;
    return displaced || this.#inFlight.some(before) || this.#failed.some(before);
  }

  acknowledged(batch: QueuedBatch): void {
    this.#remove(batch);
    const after = sequenceAfter(batch.sequence, batch.count);
    if (distance(after, this.#ackedSequence) > 0) this.#ackedSequence = after;
    this.#attempts = 0;
    this.#cautious = this.#failed.length > 0;
    this.#settle();
  }

  /** The batch must be sent again. */
  failed(batch: QueuedBatch, uncertain: boolean): void {
    if (uncertain) batch.uncertain = true;
    this.#remove(batch);
    this.#failed.push(batch);
    this.#cautious = true;
    this.#settle();
  }

  /** The batch is given up. If it is certainly not in the log, later ones take its sequence numbers. */
  refused(batch: QueuedBatch): void {
    this.#remove(batch);
    for (const other of this.#inFlight) if (other.order > batch.order) other.displaced = true;
    if (batch.uncertain) this.renew();
    this.#cautious = true;
    this.#settle();
  }

  /** Replaces a batch that is certainly not in the log by its parts, possibly none. */
  replaced(batch: QueuedBatch, parts: readonly QueuedBatch[]): void {
    this.#failed.push(...parts);
    this.refused(batch);
  }

  /** Gives up all waiting batches that match. */
  drop(matches: (batch: QueuedBatch) => boolean): QueuedBatch[] {
    const dropped = this.#waiting.filter(matches);
    if (dropped.length > 0) this.#waiting = this.#waiting.filter((batch) => !dropped.includes(batch));
    // A batch of unknown outcome leaves a gap in the sequence that cannot be closed.
    if (dropped.some((batch) => batch.uncertain)) this.renew();
    else if (dropped.length > 0) this.#checkGaps();
    return dropped;
  }

  #remove(batch: QueuedBatch): void {
    const at = this.#inFlight.indexOf(batch);
    if (at >= 0) this.#inFlight.splice(at, 1);
  }

  /** Once everything in flight has been answered, failed batches return to the front, in order. */
  #settle(): void {
    if (this.#inFlight.length > 0 || !this.#cautious) return;
    this.#nextSequence = this.#ackedSequence;
    if (this.#failed.length > 0) {
      this.#waiting.unshift(...this.#failed.sort((a, b) => a.order - b.order));
      this.#failed = [];
      this.#attempts++;
    }
    this.#checkGaps();
  }

  /**
   * A number that a dropped batch left free must not be reused while another batch with the next number may still
   * arrive: the broker would accept that one too.
   */
  #checkGaps(): void {
    let next = this.#ackedSequence;
    for (const { count, sequence, uncertain } of this.#waiting) {
      const ahead = uncertain ? distance(sequence, next) : 0;
      if (ahead > 0) return this.renew();
      if (ahead === 0) next = sequenceAfter(next, count);
    }
  }
}

/** How far a sequence number is ahead of another, with wrap-around. */
function distance(sequence: number, from: number): number {
  const ahead = (sequence - from + SEQUENCES) % SEQUENCES;
  return ahead < SEQUENCES / 2 ? ahead : ahead - SEQUENCES;
}
