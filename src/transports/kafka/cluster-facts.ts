import { Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';
import { type KafkaOptions, kafkaSettings } from './options.ts';
import { type DescribedCluster, describedClusterApi } from './wire/described-cluster.ts';
import { createTopicsApi } from './wire/topic-requests.ts';

/** Operations on a resource, with the names of access control lists. */
export type Operation =
  | 'Read'
  | 'Write'
  | 'Create'
  | 'Delete'
  | 'Alter'
  | 'Describe'
  | 'DescribeConfigs'
  | 'AlterConfigs';

const OPERATIONS: readonly (readonly [bit: number, name: Operation])[] = [
  [3, 'Read'],
  [4, 'Write'],
  [5, 'Create'],
  [6, 'Delete'],
  [7, 'Alter'],
  [8, 'Describe'],
  [10, 'DescribeConfigs'],
  [11, 'AlterConfigs'],
];

/** A topic and its possible problems. */
export interface TopicStanding {
  readonly name: string;
  readonly partitions: number;
  /** The smallest number of replicas of its partitions. */
  readonly replicas: number;
  /** Partitions without a leader. */
  readonly leaderless: number;
  /** Partitions with replicas that are out of date or missing. */
  readonly underReplicated: number;
  readonly may: readonly Operation[];
}

/** A cluster as a user sees it. */
export interface ClusterFacts {
  readonly brokers: readonly string[];
  /** On the cluster itself. */
  readonly may: readonly Operation[];
  readonly topics: readonly TopicStanding[];
}

/** Inspects a cluster. @throws as opening a transport */
export async function clusterFacts(options: KafkaOptions): Promise<ClusterFacts> {
  const cluster = new Cluster(kafkaSettings(options));
  try {
    await cluster.connect();
    return factsOf(await cluster.ask(describedClusterApi, undefined));
  } finally {
    cluster.close();
  }
}

function factsOf({ nodes, operations, topics }: DescribedCluster): ClusterFacts {
  return {
    brokers: nodes.map(({ host, port }) => `${host}:${port}`).sort(),
    may: named(operations),
    topics: topics
      .filter(({ errorCode, internal }) => errorCode === 0 && !internal)
      .map(({ operations: may, partitions, topic }) => ({
        name: topic,
        partitions: partitions.length,
        replicas: Math.min(...partitions.map(({ replicas }) => replicas)),
        leaderless: partitions.filter(({ leader }) => leader < 0).length,
        underReplicated: partitions.filter(({ inSync, replicas }) => inSync < replicas).length,
        may: named(may),
      }))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

const named = (bits: number): readonly Operation[] =>
  OPERATIONS.flatMap(([bit, name]) => (((bits >> bit) & 1) === 1 ? [name] : []));

/**
 * Creates a topic whose records get the broker's time, to compare clocks.
 *
 * @throws `ERR_NOT_AUTHORIZED`, and as opening a transport
 */
export async function makeClockTopic(options: KafkaOptions, name: string): Promise<void> {
  const settings = kafkaSettings(options);
  const cluster = new Cluster(settings);
  try {
    await cluster.connect();
    const configs = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
    const topics = [{ topic: name, partitions: 1, replicationFactor: -1, configs }];
    const [answer] = await cluster.ask(createTopicsApi, { topics, timeoutMs: settings.requestTimeoutMs });
    if (answer !== undefined && answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'create the topic', name);
  } finally {
    cluster.close();
  }
}
