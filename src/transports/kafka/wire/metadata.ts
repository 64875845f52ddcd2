import type { Api } from './api.ts';
import { BadResponse } from './reader.ts';

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
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  readonly internal: boolean;
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly nodes: readonly NodeAddress[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** Which brokers there are, and who leads the partitions of topics; `topics: null` asks for all of them. */
export const metadataApi: Api<{ readonly topics: readonly string[] | null }, ClusterMetadata> = {
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
      internal: reader.boolean(),
      partitions: reader.array(() => {
        const partition = { errorCode: reader.int16(), partition: reader.int32(), leader: reader.int32() };
        reader.int32();
        for (let list = 0; list < 3; list++) reader.array(() => reader.int32());
        if (partition.partition < 0 || partition.partition >= MAX_PARTITIONS) {
          throw new BadResponse(`it names a partition ${partition.partition}`);
        }
        return partition;
      }),
    }));
    return { nodes, controllerId, topics };
  },
};
