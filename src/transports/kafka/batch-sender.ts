import { MillraceError } from '../../errors.ts';
import { closed, recordTooLarge, unknownTopic } from '../local/errors.ts';
import type { Cluster, Lane } from './cluster.ts';
import { Complaints } from './complaints.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { Code } from './error-codes.ts';
import { exhausted, kafkaCodeOf, kafkaError } from './errors.ts';
import { PartitionLine, type QueuedBatch } from './partition-line.ts';
import { pauseMs } from './retry.ts';
import { Throttles } from './throttles.ts';
import type { Topics } from './topics.ts';
import { produceApi } from './wire/produce.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** Requests under way to one broker. */
const MAX_REQUESTS = 5;
/** A request takes more batches up to this size. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export interface SenderOptions {
  readonly transactionalId?: string;
  /** Gives a producer id for a partition that has none; a new one each time after a failure. */
  readonly identify: (renew: boolean) => Promise<ProducerIdentity>;
}

interface Sent {
  readonly line: PartitionLine;
  readonly batch: QueuedBatch;
}

/** Writes batches: in order per partition, each once, tried again until it is in the log or its time is over. */
export class BatchSender {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #options: SenderOptions;
  readonly #lane: Lane;
  readonly #lines = new Map<string, PartitionLine>();
  readonly #requests = new Map<number, number>();
  /** Lines whose shared producer id has failed. */
  readonly #renewed = new Set<PartitionLine>();
  readonly #waiting: { readonly below: number; readonly resolve: () => void }[] = [];
  readonly #complaints: Complaints;
  readonly #throttles = new Throttles();
  #buffered = 0;
  #pumping = false;
  #timer: NodeJS.Timeout | undefined;
  #trouble: MillraceError | undefined;
  #closed = false;

  constructor(cluster: Cluster, topics: Topics, options: SenderOptions) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#options = options;
    this.#lane = cluster.newLane('produce');
    this.#complaints = new Complaints(cluster.settings.logger);
  }

  /** Writes a batch after all earlier ones of its partition; resolves with its offset when it is acknowledged. */
  append(encoded: EncodedBatch): Promise<number> {
    if (this.#closed) return Promise.reject(closed('producer'));
    return new Promise((resolve, reject) => {
      const { topic, partition, bytes } = encoded;
      this.#buffered += bytes.length;
      const release = (): void => this.#release(bytes.length);
      this.#line(topic, partition).add({
        ...encoded,
        deadline: performance.now() + this.#cluster.settings.deliveryTimeoutMs,
        order: 0,
        sequence: 0,
        uncertain: false,
        resolve: (offset) => {
          release();
          resolve(offset);
        },
        reject: (error) => {
          release();
          reject(error);
        },
      });
      this.#pump();
    });
  }

  /** Resolves when fewer bytes than that wait to be acknowledged. */
  room(below: number): Promise<void> {
    if (this.#buffered < below) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ below, resolve }));
  }

  /** What it waits for, in words. */
  waitingFor(): string | undefined {
    if (this.#trouble !== undefined) return `a broker to take outputs: ${this.#trouble.message}`;
    return this.#throttles.waitingFor('write to');
  }

  /** Asks for producer ids anew, while nothing is under way. */
  resetIdentities(): void {
    for (const line of this.#lines.values()) line.identify(undefined);
  }

  /** Gives up what has not been sent. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#cluster.closeLane(this.#lane);
    for (const line of this.#lines.values()) {
      for (const batch of line.drop(() => true)) batch.reject(closed('producer'));
    }
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

  #release(bytes: number): void {
    this.#buffered -= bytes;
    for (let i = 0; i < this.#waiting.length; ) {
      const { below, resolve } = this.#waiting[i]!;
      if (this.#buffered < below) {
        this.#waiting.splice(i, 1);
        resolve();
      } else i++;
    }
  }

  /** Sends what can be sent, once the current calls have been made, so that batches of one moment share requests. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      void this.#round().catch((error: unknown) => this.#later(error));
    });
  }

  async #round(): Promise<void> {
    if (this.#closed) return;
    const now = performance.now();
    const byLeader = new Map<number, PartitionLine[]>();
    let next = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) {
      this.#expire(line, now);
      if (line.mustRenew) this.#renew(line);
      if (line.head !== undefined && line.pausedUntil > now) next = Math.min(next, line.pausedUntil);
      if (!line.isReady(now)) continue;
      if (line.identity === undefined) {
        void this.#identify(line);
        continue;
      }
      const leader = this.#topics.peekLeader(line.topic, line.partition);
      if (leader === undefined) void this.#findLeader(line);
      else if ((this.#requests.get(leader) ?? 0) < MAX_REQUESTS) {
        byLeader.set(leader, [...(byLeader.get(leader) ?? []), line]);
      }
    }
    for (const [leader, lines] of byLeader) {
      const throttled = this.#throttles.until(leader);
      if (throttled > now) next = Math.min(next, throttled);
      else this.#send(leader, lines);
    }
    clearTimeout(this.#timer);
    if (next !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#pump(), Math.max(next - now, 1));
  }

  #later(error: unknown): void {
    if (error instanceof MillraceError) this.#trouble = error;
    this.#timer = setTimeout(() => this.#pump(), pauseMs(3));
  }

  async #identify(line: PartitionLine): Promise<void> {
    line.pausedUntil = Number.POSITIVE_INFINITY;
    try {
      line.identify(await this.#options.identify(this.#renewed.has(line)));
      this.#renewed.delete(line);
      line.pausedUntil = 0;
      this.#pump();
    } catch (error) {
      this.#hold(line, error);
    }
  }

  async #findLeader(line: PartitionLine): Promise<void> {
    line.pausedUntil = Number.POSITIVE_INFINITY;
    try {
      if (
        (await this.#topics.refresh(line.topic)) === undefined &&
        (await this.#topics.refresh(line.topic)) === undefined
      ) {
        throw unknownTopic(line.topic);
      }
      await this.#topics.leader(line.topic, line.partition);
      line.pausedUntil = 0;
      this.#pump();
    } catch (error) {
      this.#hold(line, error);
    }
  }

  /** Something that a line needs cannot be had now, or never. */
  #hold(line: PartitionLine, error: unknown): void {
    const failure = error as MillraceError;
    this.#trouble = failure;
    line.pausedUntil = performance.now() + pauseMs(4);
    if (!failure.retriable) {
      const given = line.drop(() => true);
      for (const batch of given) batch.reject(writeFailure(failure, batch));
      if (given.some((batch) => batch.uncertain)) line.renew();
    }
    this.#pump();
  }

  #expire(line: PartitionLine, now: number): void {
    const { head } = line;
    if (head === undefined || head.deadline > now) return;
    const limit = this.#cluster.settings.deliveryTimeoutMs;
    const cause = this.#trouble ?? kafkaError(7, 'write');
    const late = line.drop((batch) => batch.deadline <= now || batch.uncertain);
    for (const batch of late) batch.reject(writeFailure(exhausted(`write to "${line.topic}"`, limit, cause), batch));
    // What may or may not be in the log leaves a gap in the sequence that nobody can close.
    if (late.some((batch) => batch.uncertain)) line.renew();
  }

  /** What may be in the log under the old producer id cannot be sent under another. */
  #renew(line: PartitionLine): void {
    const cause = this.#trouble ?? kafkaError(Code.UNKNOWN_PRODUCER_ID, 'write', line.topic);
    for (const batch of line.drop((each) => each.uncertain)) batch.reject(writeFailure(cause, batch));
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
    const { settings } = this.#cluster;
    const batches = sent.map(({ batch }) => ({ topic: batch.topic, partition: batch.partition, batch: batch.bytes }));
    const query = {
      transactionalId: this.#options.transactionalId ?? null,
      timeoutMs: settings.requestTimeoutMs,
      batches,
    };
    try {
      const { partitions, throttleMs } = await this.#cluster.request(leader, this.#lane, produceApi, query);
      this.#throttles.heard(leader, throttleMs);
      for (const each of sent) {
        const { topic, partition } = each.batch;
        const answer = partitions.find((one) => one.topic === topic && one.partition === partition);
        if (answer === undefined) this.#retry(each, kafkaError(7, 'write: the broker left a partition out'), true);
        else this.#answered(each, answer.errorCode, answer.baseOffset);
      }
    } catch (error) {
      for (const each of sent) this.#retry(each, error as MillraceError, true);
    }
  }

  #answered(sent: Sent, errorCode: number, baseOffset: number): void {
    const { line, batch } = sent;
    if (errorCode === 0 || errorCode === Code.DUPLICATE_SEQUENCE_NUMBER) {
      line.acknowledged(batch);
      this.#trouble = undefined;
      batch.resolve(baseOffset);
      return;
    }
    const { topic, partition } = batch;
    const error = kafkaError(errorCode, 'write', topic, { topic, partition });
    const transactional = this.#options.transactionalId !== undefined;
    if (errorCode === Code.OUT_OF_ORDER_SEQUENCE_NUMBER && !line.isFirst(batch)) {
      // The one before it has failed; both are sent again.
      this.#retry(sent, error, false);
    } else if (!transactional && !batch.uncertain && isLostIdentity(errorCode)) {
      // The broker does not know this producer any more; the batch is certainly not there.
      this.#retry(sent, error, false);
      line.renew();
    } else if (error.retriable) {
      this.#retry(sent, error, errorCode === 7 || errorCode === 20);
    } else {
      line.refused(batch);
      if (isLostIdentity(errorCode)) line.renew();
      const tooLarge = errorCode === Code.MESSAGE_TOO_LARGE || errorCode === Code.RECORD_LIST_TOO_LARGE;
      if (tooLarge) this.#topics.changed(topic);
      const limit = this.#topics.peekMaxMessageBytes(topic) ?? batch.bytes.length - 1;
      batch.reject(writeFailure(tooLarge ? recordTooLarge(batch, batch.bytes.length, limit) : error, batch));
    }
  }

  #retry({ line, batch }: Sent, error: MillraceError, uncertain: boolean): void {
    if (this.#closed || (!error.retriable && kafkaCodeOf(error) === undefined)) {
      // Not a matter of the network: the transport was closed, or cannot speak with this broker.
      line.refused(batch);
      if (uncertain) line.renew();
      batch.reject(writeFailure(error, { ...batch, uncertain }));
      return;
    }
    this.#complaints.warn(error, { topic: batch.topic, partition: batch.partition });
    this.#trouble = error;
    this.#topics.forget(line.topic);
    line.failed(batch, uncertain);
    line.pausedUntil = performance.now() + pauseMs(line.attempts);
  }
}

function isLostIdentity(code: number): boolean {
  return (
    code === Code.UNKNOWN_PRODUCER_ID ||
    code === Code.OUT_OF_ORDER_SEQUENCE_NUMBER ||
    code === Code.INVALID_PRODUCER_ID_MAPPING ||
    code === Code.INVALID_PRODUCER_EPOCH ||
    code === Code.PRODUCER_FENCED
  );
}

/** The failure of a write, which says whether it may be in the log. */
function writeFailure(
  error: MillraceError,
  batch: Pick<QueuedBatch, 'topic' | 'partition' | 'uncertain'>,
): MillraceError {
  const written = batch.uncertain ? 'unknown' : 'no';
  if (error.written === written) return error;
  const at = error.topic === undefined ? ` [${batch.topic}/${batch.partition}]` : '';
  return new MillraceError(error.errorClass, error.code, `${error.message}${at}`, { cause: error, written });
}
