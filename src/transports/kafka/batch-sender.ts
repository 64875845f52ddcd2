import type { Cancel } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import { closed, unknownTopic } from '../local/errors.ts';
import { BufferedBytes } from './buffered-bytes.ts';
import type { Cluster, Lane } from './cluster.ts';
import { Complaints } from './complaints.ts';
import { divided, fitting, refusalOf } from './divide-batch.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { Code, leavesInDoubt, losesProducer } from './error-codes.ts';
import { exhausted, type KafkaError, kafkaCodeOf, kafkaError } from './errors.ts';
import type { Machine } from './machine.ts';
import { PartitionLine, type QueuedBatch, queuedBatch, type Written } from './partition-line.ts';
import { pauseMs } from './retry.ts';
import { sendAdmitted, type WriteOptions } from './send-admitted.ts';
import { Throttles } from './throttles.ts';
import type { Topics } from './topics.ts';
import type { ProducedPartition, ProduceResponse } from './wire/produce.ts';
import type { ProducerIdentity } from './wire/transactions.ts';
import { endOfWriting, writeFailure } from './write-failure.ts';

/** The most requests in flight to one broker. */
const MAX_REQUESTS = 5;
/** Batches are added to a request up to this size. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export interface SenderOptions extends WriteOptions {
  /** Provides a producer id for a partition; after a failure, a new one. */
  readonly identify: (renew: boolean) => Promise<ProducerIdentity>;
  /**
   * Whether nothing more is written once a batch was given up: the caller then redoes everything, and later batches
   * would otherwise be read first. In a transaction this is always the case.
   */
  readonly endsWithFailure?: boolean;
}

interface Sent {
  readonly line: PartitionLine;
  readonly batch: QueuedBatch;
}

/** Writes batches in order per partition, each once, with retries until it is in the log or its time is over. */
export class BatchSender {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #options: SenderOptions;
  readonly #lane: Lane;
  readonly #lines = new Map<string, PartitionLine>();
  readonly #requests = new Map<number, number>();
  /** Lines whose shared producer id has failed. */
  readonly #renewed = new Set<PartitionLine>();
  readonly #complaints: Complaints;
  readonly #throttles: Throttles;
  readonly #machine: Machine;
  readonly #buffered = new BufferedBytes();
  #pumping = false;
  #cancel: Cancel | undefined;
  #trouble: MillraceError | undefined;
  /** Why it takes nothing more. */
  #closed: MillraceError | undefined;
  #doubtful = false;
  /** The error of an earlier write that was given up, after which nothing more is written. */
  #broken: MillraceError | undefined;

  constructor(cluster: Cluster, topics: Topics, options: SenderOptions) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#options = options;
    this.#lane = cluster.newLane('produce');
    const { machine, settings } = cluster;
    this.#machine = machine;
    this.#complaints = new Complaints(settings.logger, machine.clock);
    this.#throttles = new Throttles(machine.clock);
  }

  /**
   * Writes a batch after all earlier ones of its partition. Resolves when it is acknowledged, with its offsets and, if
   * it is divisible, with the refused records.
   */
  append(encoded: EncodedBatch): Promise<Written> {
    if (this.#closed !== undefined) return Promise.reject(closed('producer'));
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const { topic, partition, bytes, limit = bytes.length } = encoded;
      this.#buffered.add(bytes.length);
      const release = (): void => this.#buffered.remove(bytes.length);
      const line = this.#line(topic, partition);
      const batch = queuedBatch(encoded, {
        deadline: this.#machine.clock.monotonic() + this.#cluster.settings.deliveryTimeoutMs,
        resolve: (written) => {
          release();
          resolve(written);
        },
        reject: (error) => {
          release();
          reject(error);
          this.#break(error);
        },
      });
      for (const part of fitting(batch, limit)) line.add(part);
      this.#pump();
    });
  }

  /** Resolves when fewer bytes than that wait for acknowledgement. */
  room(below: number): Promise<void> {
    return this.#buffered.room(below);
  }

  /** Describes what it waits for. */
  waitingFor(): string | undefined {
    if (this.#trouble !== undefined) return `a broker to take outputs: ${this.#trouble.message}`;
    return this.#throttles.waitingFor('write to');
  }

  /** Whether a request ended without a response, so that it may still arrive. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  /** Gives up unacknowledged batches: those in flight as soon as their requests end. */
  close(reason: MillraceError = closed('producer')): void {
    this.#closed = reason;
    this.#cluster.closeLane(this.#lane);
    this.#dropAll(reason);
  }

  #line(topic: string, partition: number): PartitionLine {
    const key = `${topic}/${partition}`;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new PartitionLine(topic, partition);
      this.#lines.set(key, line);
    }
    return line;
  }

  /** Sends what can be sent, after the current synchronous calls, so that batches of the same moment share requests. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      void this.#round().catch((error: unknown) => this.#later(error));
    });
  }

  async #round(): Promise<void> {
    // Failed batches of a partition return to its line only when others of it, which were in flight, have ended.
    if (this.#closed !== undefined) return this.#dropAll(this.#closed);
    const now = this.#machine.clock.monotonic();
    const byLeader = new Map<number, PartitionLine[]>();
    let next = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) this.#expire(line, now);
    for (const line of this.#lines.values()) {
      if (line.mustRenew) this.#renew(line);
      if (this.#broken !== undefined) return this.#dropAll(this.#broken);
      if (line.head !== undefined && line.pausedUntil > now) next = Math.min(next, line.pausedUntil);
      if (!line.isReady(now)) continue;
      if (line.identity === undefined) {
        void this.#prepare(line, this.#identify(line));
        continue;
      }
      const leader = this.#topics.peekLeader(line.topic, line.partition);
      if (leader === undefined) void this.#prepare(line, this.#findLeader(line));
      else if ((this.#requests.get(leader) ?? 0) < MAX_REQUESTS) {
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), line]);
      }
    }
    for (const [leader, lines] of byLeader) {
      const throttled = this.#throttles.until(leader);
      if (throttled > now) next = Math.min(next, throttled);
      else this.#send(leader, lines);
    }
    this.#cancel?.();
    if (next !== Number.POSITIVE_INFINITY) this.#wakeIn(Math.max(next - now, 1));
  }

  #dropAll(reason: MillraceError): void {
    this.#cancel?.();
    for (const line of this.#lines.values())
      for (const batch of line.drop(() => true)) batch.reject(writeFailure(reason, batch));
  }

  #later(error: unknown): void {
    if (error instanceof MillraceError) this.#trouble = error;
    this.#wakeIn(pauseMs(this.#machine, 3));
  }

  #wakeIn(ms: number): void {
    this.#cancel = this.#machine.clock.after(ms, () => this.#pump());
  }

  async #identify(line: PartitionLine): Promise<void> {
    line.identify(await this.#options.identify(this.#renewed.has(line)));
    this.#renewed.delete(line);
  }

  async #findLeader({ partition, topic }: PartitionLine): Promise<void> {
    if ((await this.#topics.refresh(topic)) === undefined && (await this.#topics.refresh(topic)) === undefined) {
      throw unknownTopic(topic);
    }
    await this.#topics.leader(topic, partition);
  }

  /** Gets what a line lacks. The line is not ready meanwhile, whatever else happens to it. */
  async #prepare(line: PartitionLine, preparation: Promise<void>): Promise<void> {
    line.preparing = true;
    try {
      await preparation;
      line.preparing = false;
      this.#pump();
    } catch (error) {
      line.preparing = false;
      this.#hold(line, error);
    }
  }

  /** A line lacks something that it needs, now or permanently. */
  #hold(line: PartitionLine, error: unknown): void {
    const failure = error as MillraceError;
    this.#trouble = failure;
    line.pausedUntil = this.#machine.clock.monotonic() + pauseMs(this.#machine, 4);
    if (!failure.retriable) {
      for (const batch of line.drop(() => true)) batch.reject(writeFailure(failure, batch));
    }
    this.#pump();
  }

  #expire(line: PartitionLine, now: number): void {
    const { head } = line;
    if (head === undefined || head.deadline > now) return;
    const limit = this.#cluster.settings.deliveryTimeoutMs;
    const cause = this.#trouble ?? kafkaError(7, 'write');
    const late = line.drop((batch) => batch.deadline <= now);
    for (const batch of late) batch.reject(writeFailure(exhausted(`write to "${line.topic}"`, limit, cause), batch));
  }

  #break(error: MillraceError): void {
    if (this.#broken !== undefined) return;
    this.#broken = endOfWriting(error, this.#options);
    if (this.#broken !== undefined) this.#pump();
  }

  /** A batch that may be in the log under the old producer id cannot be sent under another one. */
  #renew(line: PartitionLine): void {
    const cause = this.#trouble ?? kafkaError(Code.UNKNOWN_PRODUCER_ID, 'write', line.topic);
    for (const batch of line.drop((each) => each.uncertain)) batch.reject(writeFailure(cause, batch));
    // A transaction is bound to its producer id: only a new transaction gets a new one.
    if (this.#options.transactionalId !== undefined) return this.#break(cause);
    line.identify(undefined);
    this.#renewed.add(line);
  }

  #send(leader: number, lines: readonly PartitionLine[]): void {
    const sent: Sent[] = [];
    let bytes = 0;
    for (const line of lines) {
      const { head, identity } = line;
      if (head === undefined || identity === undefined) continue;
      if (sent.length > 0 && bytes + head.bytes.length > MAX_REQUEST_BYTES) continue;
      bytes += head.bytes.length;
      sent.push({ line, batch: line.take(identity) });
    }
    this.#requests.set(leader, (this.#requests.get(leader) ?? 0) + 1);
    void this.#exchange(leader, sent).finally(() => {
      this.#requests.set(leader, (this.#requests.get(leader) ?? 1) - 1);
      this.#pump();
    });
    // More of the same partitions may go at once.
    this.#pump();
  }

  async #exchange(leader: number, sent: readonly Sent[]): Promise<void> {
    const batches = sent.map(({ batch }) => batch);
    let response: ProduceResponse | MillraceError;
    try {
      response = await sendAdmitted(this.#cluster, leader, this.#lane, batches, this.#options);
    } catch (error) {
      this.#doubtful = true;
      for (const each of sent) this.#retry(each, error as MillraceError, true);
      return;
    }
    if (response instanceof MillraceError) {
      for (const each of sent) this.#retry(each, response, false);
      return;
    }
    this.#throttles.heard(leader, response.throttleMs);
    for (const each of sent) {
      const { topic, partition } = each.batch;
      const answer = response.partitions.find((one) => one.topic === topic && one.partition === partition);
      if (answer === undefined) this.#retry(each, kafkaError(7, 'write: the broker left a partition out'), true);
      else this.#answered(each, answer);
    }
  }

  #answered(sent: Sent, answer: ProducedPartition): void {
    const { baseOffset, errorCode } = answer;
    const { line, batch } = sent;
    if (errorCode === 0 || errorCode === Code.DUPLICATE_SEQUENCE_NUMBER) {
      line.acknowledged(batch);
      this.#trouble = undefined;
      batch.resolve({ baseOffset });
      return;
    }
    const error = kafkaError(errorCode, 'write', batch.topic, { topic: batch.topic, partition: batch.partition });
    if (errorCode === Code.OUT_OF_ORDER_SEQUENCE_NUMBER && line.isBehind(batch)) {
      // The previous batch is missing; both are sent again. The error is reported for the previous one.
      this.#retry(sent, error, false, true);
    } else if (losesProducer(errorCode) && !batch.uncertain && this.#options.transactionalId === undefined) {
      // The broker no longer knows this producer; the batch is certainly not in the log.
      this.#retry(sent, error, false);
      line.renew();
    } else if (leavesInDoubt(errorCode)) {
      this.#retry(sent, error, true);
    } else if (error.retriable) {
      this.#retry(sent, error, false);
    } else {
      this.#refuse(sent, error, answer);
    }
  }

  #refuse({ line, batch }: Sent, error: KafkaError, answer: ProducedPartition): void {
    if (error.errorClass === 'record') this.#topics.changed(batch.topic);
    if (error.errorClass === 'record' && batch.divisible === true && !batch.uncertain) {
      const { whole, parts } = divided(batch, error, answer);
      line.replaced(batch, parts);
      if (whole !== undefined) batch.resolve(whole);
      return;
    }
    line.refused(batch);
    if (losesProducer(error.kafkaCode)) line.renew();
    batch.reject(writeFailure(refusalOf(batch, error, answer.message), batch));
  }

  /** @param follows - Whether it failed only because an earlier one did. */
  #retry({ line, batch }: Sent, error: MillraceError, uncertain: boolean, follows = false): void {
    const never = !error.retriable && kafkaCodeOf(error) === undefined;
    if (this.#closed !== undefined || this.#broken !== undefined || never) {
      // Nobody needs it any more, or the transport cannot talk to this broker.
      batch.uncertain ||= uncertain;
      line.refused(batch);
      batch.reject(writeFailure(error, batch));
      return;
    }
    line.failed(batch, uncertain);
    line.pausedUntil = this.#machine.clock.monotonic() + pauseMs(this.#machine, line.attempts);
    if (follows) return;
    this.#complaints.warn(error, { topic: batch.topic, partition: batch.partition });
    this.#trouble = error;
    this.#topics.forget(line.topic);
  }
}
