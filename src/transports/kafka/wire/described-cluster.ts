import type { Api } from './api.ts';
import type { NodeAddress } from './metadata.ts';

/** A partition with its number of replicas, and of in-sync ones. */
export interface DescribedPartition {
  readonly leader: number;
  readonly replicas: number;
  readonly inSync: number;
}

export interface DescribedTopic {
  readonly errorCode: number;
  readonly topic: string;
  readonly internal: boolean;
  readonly partitions: readonly DescribedPartition[];
  /** The operations that the user may perform, as bits. */
  readonly operations: number;
}

export interface DescribedCluster {
  readonly nodes: readonly NodeAddress[];
  readonly topics: readonly DescribedTopic[];
  readonly operations: number;
}

/** All topics, with the operations that the user may perform on each. */
export const describedClusterApi: Api<undefined, DescribedCluster> = {
  name: 'Metadata',
  key: 3,
  version: 10,
  flexible: true,
  encode: (writer) =>
    writer
      .compactArray(null, () => undefined)
      .boolean(false)
      .boolean(true)
      .boolean(true)
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
    reader.int32();
    const topics = reader.compactArray((): DescribedTopic => {
      const [errorCode, topic] = [reader.int16(), reader.compactString()];
      reader.uuid();
      const internal = reader.boolean();
      const partitions = reader.compactArray(() => {
        const code = reader.int16();
        reader.int32();
        const leader = reader.int32();
        reader.int32();
        const replicas = reader.compactArray(() => reader.int32()).length;
        const inSync = reader.compactArray(() => reader.int32()).length;
        reader.compactArray(() => reader.int32());
        reader.tags();
        return { leader: code === 0 || code === 9 ? leader : -1, replicas, inSync };
      });
      const operations = reader.int32();
      reader.tags();
      return { errorCode, topic, internal, partitions, operations };
    });
    return { nodes, topics, operations: reader.int32() };
  },
};
