import type { Api } from './api.ts';
import { BadResponse, type WireReader } from './reader.ts';

/** More partitions than any topic has: they become places in arrays. */
const MAX_PARTITIONS = 1_000_000;

export interface NodeAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface PartitionMetadata {
  readonly errorCode: number;
  readonly partition: number;
  /** −1 while there is none. */
  readonly leader: number;
  /** Grows with every change of the leader. */
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  /** `undefined` from brokers that give topics none. */
  readonly id: string | undefined;
  readonly internal: boolean;
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly nodes: readonly NodeAddress[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

type MetadataApi = Api<{ readonly topics: readonly string[] | null }, ClusterMetadata>;

const metadataApi7: MetadataApi = {
  name: 'Metadata',
  key: 3,
  version: 7,
  encode: (writer, { topics }) => writer.array(topics, (topic) => writer.string(topic)).boolean(false),
  decode: (reader) => {
    reader.int32();
    const nodes = reader.array(() => {
      const node = { id: reader.int32(), host: reader.string(), port: reader.int32() };
      reader.nullableString();
      return node;
    });
    reader.nullableString();
    const controllerId = reader.int32();
    const topics = reader.array(() => ({
      errorCode: reader.int16(),
      topic: reader.string(),
      id: undefined,
      internal: reader.boolean(),
      partitions: reader.array(() => {
        const partition = readPartition(reader);
        for (let list = 0; list < 3; list++) reader.array(() => reader.int32());
        return partition;
      }),
    }));
    return { nodes, controllerId, topics };
  },
};

/** Which brokers there are, and who leads the partitions of topics; `topics: null` asks for all of them. */
export const metadataApi: MetadataApi = {
  name: 'Metadata',
  key: 3,
  version: 10,
  flexible: true,
  older: metadataApi7,
  encode: (writer, { topics }) =>
    writer
      .compactArray(topics, (topic) => writer.uuid(undefined).compactString(topic).tags())
      .boolean(false)
      .boolean(false)
      .boolean(false)
      .tags(),
  decode: (reader) => {
    reader.int32();
    const nodes = reader.compactArray(() => {
      const node = { id: reader.int32(), host: reader.compactString(), port: reader.int32() };
      reader.compactNullableString();
      reader.tags();
      return node;
    });
    reader.compactNullableString();
    const controllerId = reader.int32();
    const topics = reader.compactArray(() => {
      const topic = {
        errorCode: reader.int16(),
        topic: reader.compactString(),
        id: reader.uuid(),
        internal: reader.boolean(),
        partitions: reader.compactArray(() => {
          const partition = readPartition(reader);
          for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32());
          reader.tags();
          return partition;
        }),
      };
      reader.int32();
      reader.tags();
      return topic;
    });
    return { nodes, controllerId, topics };
  },
};

function readPartition(reader: WireReader): PartitionMetadata {
  const [errorCode, partition] = [reader.int16(), reader.int32()];
  if (partition < 0 || partition >= MAX_PARTITIONS) throw new BadResponse(`it names a partition ${partition}`);
  return { errorCode, partition, leader: reader.int32(), leaderEpoch: reader.int32() };
}
