import { type Api, byTopic, flatTopics } from './api.ts';

export interface FetchPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

export interface FetchRequest {
  /** How long the broker may wait for records, in milliseconds. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Whether to read only what is committed. */
  readonly committed: boolean;
  readonly partitions: readonly FetchPartition[];
}

/** A transaction whose records are not to be read. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last of them possibly cut off. */
  readonly records: Uint8Array;
}

export interface FetchResponse {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Records, without fetch sessions: each request names all partitions that it wants. */
export const fetchApi: Api<FetchRequest, FetchResponse> = {
  name: 'Fetch',
  key: 1,
  version: 11,
  encode: (writer, request) =>
    writer
      .int32(-1)
      .int32(request.maxWaitMs)
      .int32(1)
      .int32(request.maxBytes)
      .int8(request.committed ? 1 : 0)
      .int32(0)
      .int32(-1)
      .array(byTopic(request.partitions), ({ topic, partitions }) =>
        writer
          .string(topic)
          .array(partitions, ({ partition, offset, maxBytes }) =>
            writer.int32(partition).int32(-1).int64(offset).int64(-1).int32(maxBytes),
          ),
      )
      .array([], () => undefined)
      .string(''),
  decode: (reader) => {
    const [throttleMs, errorCode] = [reader.int32(), reader.int16()];
    reader.int32();
    const topics = reader.array(() => ({
      topic: reader.string(),
      partitions: reader.array(() => {
        const [partition, code] = [reader.int32(), reader.int16()];
        const [highWatermark, lastStableOffset] = [reader.int64(), reader.int64()];
        reader.int64();
        const aborted = reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }));
        reader.int32();
        return { partition, errorCode: code, highWatermark, lastStableOffset, aborted, records: reader.bytes() };
      }),
    }));
    return { throttleMs, errorCode, partitions: flatTopics(topics) };
  },
};
