import { type Api, byTopic, flatTopics } from './api.ts';

export interface ProducePartition {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Uint8Array;
}

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** How long the broker may wait for its replicas, in milliseconds. */
  readonly timeoutMs: number;
  /** At most one batch of each partition. */
  readonly batches: readonly ProducePartition[];
}

export interface ProducedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  /** Batch indexes of the records that caused the refusal, with the reasons, if the broker names them. */
  readonly recordErrors?: readonly { readonly index: number; readonly message: string }[];
  /** The broker's message about the refusal. */
  readonly message?: string;
}

export interface ProduceResponse {
  readonly throttleMs: number;
  readonly partitions: readonly ProducedPartition[];
}

/** Appends batches, acknowledged by all in-sync replicas. */
export const produceApi: Api<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: 0,
  version: 8,
  encode: (writer, { transactionalId, timeoutMs, batches }) =>
    writer
      .string(transactionalId)
      .int16(-1)
      .int32(timeoutMs)
      .array(byTopic(batches), ({ topic, partitions }) =>
        writer.string(topic).array(partitions, ({ partition, batch }) => writer.int32(partition).bytes(batch)),
      ),
  decode: (reader) => {
    const topics = reader.array(() => ({
      topic: reader.string(),
      partitions: reader.array(() => {
        const answer = { partition: reader.int32(), errorCode: reader.int16(), baseOffset: reader.int64() };
        reader.int64();
        reader.int64();
        const recordErrors = reader.array(() => ({ index: reader.int32(), message: reader.string() }));
        return { ...answer, recordErrors, message: reader.string() };
      }),
    }));
    return { partitions: flatTopics(topics), throttleMs: reader.int32() };
  },
};
