import type { Origins } from '../../log/origins.ts';
import type { OutgoingBatch, RecordOwner } from '../../log/transport.ts';
import { type Compression, ensureCodec } from '../../protocol/compression.ts';
import { recordTooLarge, unknownPartition, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';

/** A checked and encoded batch; its producer is stamped into it when it is sent. */
export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** Number of records. */
  readonly count: number;
  /** Whether it may be written in parts, without refused records. */
  readonly divisible?: boolean;
  /** The batch size limit of the topic, if this batch is larger. */
  readonly limit?: number;
  /** Decides on records that are refused. */
  readonly owner?: RecordOwner;
  readonly origins?: Origins | undefined;
}

const NOT_WRITTEN = { written: 'no' } as const;

/** Checks batches against their topics and encodes them; synchronously if everything needed is known. */
export class BatchEncoder {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #transactional: boolean;
  readonly #codecs = new Set<Compression>(['none']);

  constructor(cluster: Cluster, topics: Topics, transactional: boolean) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#transactional = transactional;
  }

  /** @throws `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION`, `ERR_RECORD_TOO_LARGE`, all with `written: 'no'` */
  encode(batch: OutgoingBatch, divisible: boolean = batch.owner !== undefined): EncodedBatch | Promise<EncodedBatch> {
    const partitions = this.#topics.peekPartitions(batch.topic) ?? 0;
    const limit = this.#topics.peekMaxMessageBytes(batch.topic);
    const ready = batch.partition < partitions && limit !== undefined && this.#codecs.has(batch.compression);
    return ready ? this.#encode(batch, limit, divisible) : this.#prepare(batch, divisible);
  }

  async #prepare(batch: OutgoingBatch, divisible: boolean): Promise<EncodedBatch> {
    const { topic, compression } = batch;
    const { settings, signal } = this.#cluster;
    const details = NOT_WRITTEN;
    const limit = await retrying(
      this.#cluster.machine,
      { doing: `find topic "${topic}"`, limitMs: settings.deliveryTimeoutMs, signal, details },
      () => this.#limit(batch),
    );
    await ensureCodec(compression);
    this.#codecs.add(compression);
    return this.#encode(batch, limit, divisible);
  }

  /** The batch size limit, once the topic and partition are known to exist. */
  async #limit({ topic: name, partition }: OutgoingBatch): Promise<number> {
    let topic = await this.#topics.find(name);
    if (topic?.leaders[partition] === undefined) topic = await this.#topics.refresh(name);
    if (topic === undefined) throw unknownTopic(name, NOT_WRITTEN);
    const { length } = topic.leaders;
    if (topic.leaders[partition] === undefined) throw unknownPartition({ topic: name, partition }, length, NOT_WRITTEN);
    return this.#topics.maxMessageBytes(name);
  }

  #encode(batch: OutgoingBatch, limit: number, divisible: boolean): EncodedBatch {
    const { compression, origins, owner, partition, records, topic } = batch;
    const bytes = records.finish({ compression, transactional: this.#transactional });
    const { count } = records;
    const tooLarge = bytes.length > limit;
    if (tooLarge && !divisible) throw recordTooLarge({ topic, partition }, bytes.length, limit);
    const encoded = { topic, partition, bytes, count, divisible, ...(tooLarge ? { limit } : {}) };
    return owner === undefined ? encoded : { ...encoded, owner, origins: origins?.slice() };
  }
}
