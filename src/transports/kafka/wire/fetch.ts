import { type Api, byTopic, flatTopics } from './api.ts';
import type { WireReader } from './reader.ts';
import type { WireWriter } from './writer.ts';

export interface FetchPartition {
  readonly topic: string;
  /** Used instead of the name if all partitions of a request have one. */
  readonly topicId: string | undefined;
  readonly partition: number;
  /** The last known leader epoch; −1 if unknown. A different leader refuses the request. */
  readonly leaderEpoch: number;
  /** Leader epoch of the record before the offset; −1 if unknown. */
  readonly lastEpoch: number;
  readonly offset: number;
  readonly maxBytes: number;
}

export interface FetchRequest {
  /** How long the broker may wait for records, in ms. */
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Whether to read only committed records. */
  readonly committed: boolean;
  readonly partitions: readonly FetchPartition[];
}

/** An aborted transaction, whose records must not be read. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  /** Empty if the request used ids. */
  readonly topic: string;
  readonly topicId?: string | undefined;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Where the records read before diverge from the log of the leader; `undefined` if they do not. */
  readonly diverging?: { readonly epoch: number; readonly endOffset: number } | undefined;
  /** Record batches; the last one may be truncated. */
  readonly records: Uint8Array;
}

export interface FetchResponse {
  readonly throttleMs: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

type FetchApi = Api<FetchRequest, FetchResponse>;

/** Fetch without sessions: each request names all its partitions. */
const fetchApi11: FetchApi = {
  name: 'Fetch',
  key: 1,
  version: 11,
  encode: (writer, request) =>
    head(writer, request)
      .array(byTopic(request.partitions), ({ topic, partitions }) =>
        writer
          .string(topic)
          .array(partitions, ({ leaderEpoch, maxBytes, offset, partition }) =>
            writer.int32(partition).int32(leaderEpoch).int64(offset).int64(-1).int32(maxBytes),
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
        const partition = { topicId: undefined, ...readHead(reader) };
        const aborted = reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }));
        reader.int32();
        return { ...partition, aborted, diverging: undefined, records: reader.bytes() };
      }),
    }));
    return { throttleMs, errorCode, partitions: flatTopics(topics) };
  },
};

/** Like version 11; the leader also reports divergence from its log. */
const fetchApi12: FetchApi = {
  name: 'Fetch',
  key: 1,
  version: 12,
  flexible: true,
  older: fetchApi11,
  encode: (writer, request) => encodeFlexible(writer, request, ({ topic }) => writer.compactString(topic)),
  decode: (reader) => decodeFlexible(reader, () => ({ topic: reader.compactString(), topicId: undefined })),
};

/** By topic id, so that nobody reads another topic that has the name now. */
const fetchApi13: FetchApi = {
  ...fetchApi12,
  version: 13,
  older: fetchApi12,
  encode: (writer, request) => encodeFlexible(writer, request, ({ topicId }) => writer.uuid(topicId)),
  decode: (reader) => decodeFlexible(reader, () => ({ topic: '', topicId: reader.uuid() })),
};

/** The request version for these partitions. */
export function fetchApi(partitions: readonly FetchPartition[]): FetchApi {
  return partitions.every(({ topicId }) => topicId !== undefined) ? fetchApi13 : fetchApi12;
}

function head(writer: WireWriter, { committed, maxBytes, maxWaitMs }: FetchRequest): WireWriter {
  return writer
    .int32(-1)
    .int32(maxWaitMs)
    .int32(1)
    .int32(maxBytes)
    .int8(committed ? 1 : 0)
    .int32(0)
    .int32(-1);
}

function encodeFlexible(
  writer: WireWriter,
  request: FetchRequest,
  writeTopic: (partition: FetchPartition) => void,
): void {
  head(writer, request)
    .compactArray(byTopic(request.partitions), ({ partitions }) => {
      writeTopic(partitions[0] as FetchPartition);
      writer
        .compactArray(partitions, ({ lastEpoch, leaderEpoch, maxBytes, offset, partition }) =>
          writer.int32(partition).int32(leaderEpoch).int64(offset).int32(lastEpoch).int64(-1).int32(maxBytes).tags(),
        )
        .tags();
    })
    .compactArray([], () => undefined)
    .compactString('')
    .tags();
}

function decodeFlexible(
  reader: WireReader,
  readTopic: () => { readonly topic: string; readonly topicId: string | undefined },
): FetchResponse {
  const [throttleMs, errorCode] = [reader.int32(), reader.int16()];
  reader.int32();
  const topics = reader.compactArray(() => {
    const { topic, topicId } = readTopic();
    const partitions = reader.compactArray(() => {
      const partition = readHead(reader);
      const aborted = reader.compactArray(() => {
        const transaction = { producerId: reader.bigint64(), firstOffset: reader.int64() };
        reader.tags();
        return transaction;
      });
      reader.int32();
      const records = reader.compactBytes();
      let diverging: FetchedPartition['diverging'];
      reader.tagged({
        0: () => {
          const [epoch, endOffset] = [reader.int32(), reader.int64()];
          if (endOffset >= 0) diverging = { epoch, endOffset };
        },
      });
      return { topicId, ...partition, aborted, diverging, records };
    });
    reader.tags();
    return { topic, partitions };
  });
  reader.tags();
  return { throttleMs, errorCode, partitions: flatTopics(topics) };
}

type Head = Pick<FetchedPartition, 'errorCode' | 'highWatermark' | 'lastStableOffset'> & { readonly partition: number };

function readHead(reader: WireReader): Head {
  const [partition, errorCode] = [reader.int32(), reader.int16()];
  const [highWatermark, lastStableOffset] = [reader.int64(), reader.int64()];
  reader.int64();
  return { partition, errorCode, highWatermark, lastStableOffset };
}
