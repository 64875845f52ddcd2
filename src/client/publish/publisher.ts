import type { Clock } from '../../dataflow/clock.ts';
import type { KeepAlive } from '../../dataflow/keep-alive.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import { soon } from '../../dataflow/soon.ts';
import { ConfigError, MillraceError } from '../../errors.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import type { Producer, Transport } from '../../log/transport.ts';
import { show } from '../../options/option-checks.ts';
import type { PublishLimits } from '../client-options.ts';
import { clientClosed, writeFailure } from '../failures.ts';
import { choosePartition, type EncodedRecord, encodeRecord } from './encode-record.ts';
import type { Published, PublishRecord } from './published.ts';
import { Round, type Waiting } from './round.ts';
import { RoundSender } from './round-sender.ts';
import { TopicWriter } from './topic-writer.ts';

/** Topic metadata is refreshed after this time. */
const TOPIC_MAX_AGE_MS = 10_000;

/** How many records and bytes `publishAll` encodes before it yields to the event loop. */
const CHUNK_RECORDS = 2000;
const CHUNK_BYTES = 1024 * 1024;

type Resolve = (published: Published) => void;
type Reject = (error: MillraceError) => void;

/**
 * Publishes records in rounds: while one is being sent, the next one collects, so that many calls share one write and a
 * single call does not wait.
 */
export class Publisher {
  readonly #transport: Transport;
  readonly #limits: PublishLimits;
  readonly #clock: Clock;
  readonly #keepAlive: KeepAlive;
  readonly #producer: Producer;
  readonly #sender: RoundSender;
  readonly #writers = new Map<string, TopicWriter>();
  readonly #lookUp = (topic: string): OutputTopic => (this.#writers.get(topic) as TopicWriter).limits;
  readonly #queue: Round[] = [];
  #open: Round;
  #sending: Round | undefined;
  #scheduled = false;
  /** Approximate bytes of all records that wait for an acknowledgement. */
  #waitingBytes = 0;
  #closed = false;
  /** The error for calls that have not handed over all their records when the publisher closes. */
  #givenUp: MillraceError | undefined;

  constructor(transport: Transport, limits: PublishLimits, clock: Clock, keepAlive: KeepAlive) {
    this.#transport = transport;
    this.#limits = limits;
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#producer = transport.producer();
    this.#sender = new RoundSender(this.#producer, limits.compressFrom, (topic) => this.#relook(topic));
    this.#open = new Round(this.#lookUp, false);
  }

  publish(use: TopicUse, record: PublishRecord<unknown, unknown>): Promise<Published> {
    return new Promise((resolve, reject) => {
      const encoded = this.#encode(use, record);
      const writer = this.#writer(use);
      if (writer.ready) {
        this.#append(writer, use.name, encoded, resolve, reject);
        return;
      }
      writer.run(
        () => this.#append(writer, use.name, encoded, resolve, reject),
        (error) => this.#refuse(use.name, encoded, error, reject),
      );
    });
  }

  async publishAll(use: TopicUse, records: Iterable<PublishRecord<unknown, unknown>>): Promise<readonly Published[]> {
    this.#checkOpen(use.name);
    checkIterable(records);
    const writer = this.#writer(use);
    const round = new Round(this.#lookUp, true);
    const all = await (writer.ready
      ? this.#fill(round, use, writer, records)
      : this.#fillLater(round, use, writer, records));
    const error = await round.done;
    if (error !== undefined) throw error;
    return all;
  }

  /** Resolves when every call so far has been acknowledged or refused. */
  async flush(): Promise<void> {
    await Promise.all([...this.#writers.values()].map((writer) => writer.settled()));
    this.#close();
    this.#start();
    await Promise.all([this.#sending?.done, ...this.#queue.map((round) => round.done)]);
  }

  /** Makes the next record look the topic up again. */
  forget(topic: string): void {
    this.#writers.get(topic)?.forget();
  }

  /** Accepts no more records. */
  stop(): void {
    this.#closed = true;
  }

  /** Rejects calls that still wait. */
  async close(error: (written: 'no' | 'unknown') => MillraceError): Promise<void> {
    this.#closed = true;
    this.#givenUp = error('no');
    for (const writer of this.#writers.values()) writer.giveUp(this.#givenUp);
    this.#close();
    const sending = this.#sending;
    for (const round of this.#queue.splice(0)) this.#sender.giveUp(round, error('no'));
    if (sending !== undefined) this.#sender.giveUp(sending, error('unknown'));
    await this.#producer.close();
  }

  #encode(use: TopicUse, record: PublishRecord<unknown, unknown>): EncodedRecord {
    this.#checkOpen(use.name);
    const encoded = encodeRecord(use, record, this.#clock.now());
    this.#checkRoom(use.name, encoded.size, 0);
    this.#waitingBytes += encoded.size;
    return encoded;
  }

  #append(writer: TopicWriter, topic: string, encoded: EncodedRecord, resolve: Resolve, reject: Reject): void {
    try {
      this.#open.add(encoded, this.#place(topic, writer, encoded, resolve, reject));
    } catch (error) {
      this.#refuse(topic, encoded, error, reject);
      return;
    }
    const { batchBytes, batchRecords } = this.#limits;
    if (this.#open.bytes >= batchBytes || this.#open.count >= batchRecords) this.#close();
    this.#schedule();
  }

  #refuse(topic: string, { size }: EncodedRecord, error: unknown, reject: Reject): void {
    this.#waitingBytes -= size;
    reject(writeFailure(error, topic, 'no'));
  }

  #fillLater(
    round: Round,
    use: TopicUse,
    writer: TopicWriter,
    records: Iterable<PublishRecord<unknown, unknown>>,
  ): Promise<readonly Published[]> {
    return new Promise((resolve, reject) => {
      writer.run(
        // Synchronously, so that calls behind this one stay behind it.
        () => resolve(this.#fill(round, use, writer, records)),
        (error) => reject(writeFailure(error, use.name, 'no')),
      );
    });
  }

  /**
   * Encodes the records of a round in chunks and yields to the event loop in between. From the first pause on the round
   * has its place among the others.
   */
  async #fill(
    round: Round,
    use: TopicUse,
    writer: TopicWriter,
    records: Iterable<PublishRecord<unknown, unknown>>,
  ): Promise<readonly Published[]> {
    const all: Published[] = [];
    let ended: () => void = () => undefined;
    try {
      if (this.#givenUp !== undefined) throw this.#givenUp;
      const { limits } = writer;
      let { sticky } = writer;
      const now = this.#clock.now();
      let pauseAt = { count: CHUNK_RECORDS, bytes: CHUNK_BYTES };
      for (const record of records) {
        const encoded = encodeRecord(use, record, now);
        this.#checkRoom(use.name, encoded.size, round.bytes);
        const chosen = choosePartition(encoded, limits, use.name);
        const partition = chosen === -1 ? sticky : chosen;
        const published = { topic: use.name, partition, offset: -1, timestamp: encoded.timestamp };
        round.add(encoded, { published });
        this.#waitingBytes += encoded.size;
        all.push(published);
        if (round.count < pauseAt.count && round.bytes < pauseAt.bytes) continue;
        // A large call makes many batches: spread records without a key over partitions, so that not one task has to
        // read them all.
        sticky = (sticky + 1) % limits.partitions;
        writer.turn();
        if (round.filling === undefined) {
          round.filling = new Promise((resolve) => (ended = resolve));
          this.#enqueue(round, writer);
        }
        await new Promise<void>(soon);
        if (this.#givenUp !== undefined) throw this.#givenUp;
        pauseAt = { count: round.count + CHUNK_RECORDS, bytes: round.bytes + CHUNK_BYTES };
      }
    } catch (error) {
      const failure = writeFailure(error, use.name, 'no');
      this.#waitingBytes -= round.bytes;
      round.finish(failure);
      throw failure;
    } finally {
      ended();
    }
    if (round.count === 0) round.finish();
    else if (round.filling === undefined) this.#enqueue(round, writer);
    return all;
  }

  /**
   * A single call is written at once and must fit into memory, so it may exceed the limit on its own, but not in
   * addition to records that are already waiting.
   */
  #checkRoom(topic: string, more: number, own: number): void {
    const { maxBufferedBytes } = this.#limits;
    if (this.#waitingBytes + more > maxBufferedBytes && this.#waitingBytes > own) {
      throw bufferFull(topic, maxBufferedBytes);
    }
  }

  /** Queues a round behind everything that was published earlier. */
  #enqueue(round: Round, writer: TopicWriter): void {
    this.#close();
    writer.turn();
    this.#queue.push(round);
    this.#start();
  }

  #place(topic: string, writer: TopicWriter, encoded: EncodedRecord, resolve: Resolve, reject: Reject): Waiting {
    const chosen = choosePartition(encoded, writer.limits, topic);
    const partition = chosen === -1 ? writer.sticky : chosen;
    return { published: { topic, partition, offset: -1, timestamp: encoded.timestamp }, resolve, reject };
  }

  #writer(use: TopicUse): TopicWriter {
    let writer = this.#writers.get(use.name);
    if (writer === undefined) {
      writer = new TopicWriter(this.#transport, use, this.#limits.compression);
      this.#writers.set(use.name, writer);
    }
    return writer;
  }

  async #relook(topic: string): Promise<OutputTopic | undefined> {
    const writer = this.#writers.get(topic);
    writer?.forget();
    await writer?.look();
    return writer?.known;
  }

  /** Closes the open round for further records. */
  #close(): void {
    if (this.#open.count === 0) return;
    this.#queue.push(this.#open);
    this.#open = new Round(this.#lookUp, false);
    for (const writer of this.#writers.values()) writer.turn();
  }

  #schedule(): void {
    if (this.#scheduled || this.#sending !== undefined) return;
    this.#scheduled = true;
    this.#keepAlive.hold();
    const run = (): void => {
      this.#scheduled = false;
      this.#start();
      this.#keepAlive.release();
    };
    if (this.#limits.lingerMs === 0 || this.#queue.length > 0) soon(run);
    else this.#clock.after(this.#limits.lingerMs, run);
  }

  #start(): void {
    if (this.#sending === undefined) void this.#send();
  }

  async #send(): Promise<void> {
    this.#keepAlive.hold();
    for (;;) {
      if (this.#queue.length === 0) this.#close();
      const round = this.#queue.shift();
      if (round === undefined) break;
      this.#sending = round;
      await round.filling;
      if (!round.finished) await this.#sender.send(round, () => (this.#waitingBytes -= round.bytes));
      this.#refresh();
    }
    this.#sending = undefined;
    this.#keepAlive.release();
  }

  #refresh(): void {
    const now = this.#clock.monotonic();
    for (const writer of this.#writers.values()) writer.refresh(now, TOPIC_MAX_AGE_MS);
  }

  #checkOpen(topic: string): void {
    if (this.#closed) throw clientClosed({ topic, written: 'no' });
  }
}

function bufferFull(topic: string, limit: number): MillraceError {
  return new MillraceError('retriable', 'ERR_BUFFER_FULL', `${limit} bytes are already waiting to be acknowledged`, {
    topic,
    written: 'no',
    hint: 'await publish(…) and publishAll(…) from time to time, or raise maxBufferedBytes',
  });
}

/** @throws ConfigError `ERR_OPTION`: records that arrive later cannot be part of one write. */
function checkIterable(records: unknown): void {
  if (typeof records === 'object' && records !== null && Symbol.iterator in records) return;
  const later = typeof records === 'object' && records !== null && Symbol.asyncIterator in records;
  throw new ConfigError('ERR_OPTION', `publishAll: the records are ${later ? 'an async iterable' : show(records)}`, {
    written: 'no',
    hint: later
      ? 'give an array, or loop: for await (const record of records) await client.publish(topic, record)'
      : 'give an array of records, or another iterable',
  });
}
