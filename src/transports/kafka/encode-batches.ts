import { type Compression, ensureCodec } from '../../protocol/compression.ts';
import type { OutgoingBatch } from '../../runtime/transport.ts';
import { recordTooLarge, unknownPartition, unknownTopic } from '../local/errors.ts';
import type { Topics } from './topics.ts';

/** A batch that has been checked and encoded; its producer is stamped into it when it is sent. */
export interface EncodedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  /** Number of records. */
  readonly count: number;
}

const NOT_WRITTEN = { written: 'no' } as const;

/** Checks batches against their topics and encodes them, at once when all that is needed is known. */
export class BatchEncoder {
  readonly #topics: Topics;
  readonly #transactional: boolean;
  readonly #codecs = new Set<Compression>(['none']);

  constructor(topics: Topics, transactional: boolean) {
    this.#topics = topics;
    this.#transactional = transactional;
  }

  /** @throws `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION`, `ERR_RECORD_TOO_LARGE`, all with `written: 'no'` */
  encode(batch: OutgoingBatch): EncodedBatch | Promise<EncodedBatch> {
    const leaders = this.#topics.peek(batch.topic)?.leaders;
    const limit = this.#topics.peekMaxMessageBytes(batch.topic);
    const ready =
      leaders?.[batch.partition] !== undefined && limit !== undefined && this.#codecs.has(batch.compression);
    return ready ? this.#encode(batch, limit) : this.#prepare(batch);
  }

  async #prepare(batch: OutgoingBatch): Promise<EncodedBatch> {
    const { topic: name, partition, compression } = batch;
    let topic = await this.#topics.find(name);
    if (topic?.leaders[partition] === undefined) topic = await this.#topics.refresh(name);
    if (topic === undefined) throw unknownTopic(name, NOT_WRITTEN);
    if (topic.leaders[partition] === undefined) throw unknownPartition(batch, topic.leaders.length, NOT_WRITTEN);
    const limit = await this.#topics.maxMessageBytes(name);
    await ensureCodec(compression);
    this.#codecs.add(compression);
    return this.#encode(batch, limit);
  }

  #encode({ topic, partition, records, compression }: OutgoingBatch, limit: number): EncodedBatch {
    const bytes = records.finish({ compression, transactional: this.#transactional });
    if (bytes.length > limit) throw recordTooLarge({ topic, partition }, bytes.length, limit);
    return { topic, partition, bytes, count: records.count };
  }
}
