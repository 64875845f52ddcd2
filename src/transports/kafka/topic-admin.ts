import type { TopicAdmin, TopicConfig, TopicDescription } from '../../runtime/transport.ts';
import { outOfRange, topicExists, unknownPartition, unknownTopic } from '../local/errors.ts';
import { changeConfig, checkPartitionCount, checkTopicName, DEFAULT_TOPIC_CONFIG } from '../local/topic-config.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import type { Offsets } from './offsets.ts';
import { pause, retrying } from './retry.ts';
import { CONFIG_NAMES, fromConfigs, toConfigs } from './topic-configs.ts';
import type { Topics } from './topics.ts';
import { metadataApi, type TopicMetadata } from './wire/metadata.ts';
import * as wire from './wire/topic-requests.ts';

/** Administration of the topics of a cluster. A change has reached all brokers when its promise resolves. */
export class KafkaTopicAdmin implements TopicAdmin {
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #offsets: Offsets;

  constructor(cluster: Cluster, topics: Topics, offsets: Offsets) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#offsets = offsets;
  }

  async list(): Promise<readonly string[]> {
    const { topics } = await this.#retrying('list the topics', () => this.#cluster.metadata(null));
    return topics
      .filter(({ internal }) => !internal)
      .map(({ topic }) => topic)
      .sort();
  }

  async describe(name: string): Promise<TopicDescription | undefined> {
    return this.#retrying(`describe topic "${name}"`, async () => {
      const topic = await this.#topics.refresh(name);
      if (topic === undefined) return undefined;
      const [answer] = await this.#cluster.ask(wire.describeConfigsApi, {
        topics: [name],
        names: CONFIG_NAMES,
      });
      if (answer?.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) return undefined;
      if (answer !== undefined && answer.errorCode !== 0)
        throw kafkaError(answer.errorCode, 'describe the topic', name, { topic: name });
      return { name, partitions: topic.leaders.length, config: fromConfigs(answer?.configs ?? []) };
    });
  }

  async create(
    name: string,
    options: { readonly partitions?: number; readonly config?: TopicConfig; readonly ifMissing?: boolean } = {},
  ): Promise<void> {
    const { partitions = 1, config = {}, ifMissing = false } = options;
    checkTopicName(name);
    checkPartitionCount(name, partitions);
    changeConfig(name, DEFAULT_TOPIC_CONFIG, config);
    let uncertain = false;
    await this.#retrying(
      `create topic "${name}"`,
      async () => {
        const [answer] = await this.#cluster.ask(wire.createTopicApi, {
          topic: name,
          partitions,
          replicationFactor: -1,
          configs: toConfigs(config),
          timeoutMs: this.#cluster.settings.requestTimeoutMs,
        });
        if (answer?.errorCode === Code.TOPIC_ALREADY_EXISTS) {
          // After a lost answer it may be this call that has made it.
          if (ifMissing || uncertain) return;
          throw topicExists(name);
        }
        check(answer, 'create the topic', name);
      },
      () => (uncertain = true),
    );
    this.#topics.changed(name);
    await this.#everywhere(
      name,
      (topic) => topic.errorCode === 0 && topic.partitions.every(({ leader }) => leader >= 0),
    );
  }

  async delete(name: string): Promise<void> {
    let uncertain = false;
    await this.#retrying(
      `delete topic "${name}"`,
      async () => {
        const { requestTimeoutMs: timeoutMs } = this.#cluster.settings;
        const [answer] = await this.#cluster.ask(wire.deleteTopicApi, { topic: name, timeoutMs });
        if (answer?.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) {
          if (uncertain) return;
          throw unknownTopic(name);
        }
        check(answer, 'delete the topic', name);
      },
      () => (uncertain = true),
    );
    this.#topics.changed(name);
    await this.#everywhere(name, (topic) => topic.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION);
  }

  async addPartitions(name: string, total: number): Promise<void> {
    const topic = await this.#retrying(`find topic "${name}"`, () => this.#topics.refresh(name));
    if (topic === undefined) throw unknownTopic(name);
    const { length } = topic.leaders;
    checkPartitionCount(name, total, length);
    if (total === length) return;
    let uncertain = false;
    await this.#retrying(
      `add partitions to topic "${name}"`,
      async () => {
        const { requestTimeoutMs: timeoutMs } = this.#cluster.settings;
        const [answer] = await this.#cluster.ask(wire.createPartitionsApi, { topic: name, total, timeoutMs });
        if (uncertain && answer?.errorCode === Code.INVALID_PARTITIONS) return;
        check(answer, 'add partitions', name);
      },
      () => (uncertain = true),
    );
    this.#topics.changed(name);
    await this.#everywhere(
      name,
      ({ partitions }) => partitions.length >= total && partitions.every(({ leader }) => leader >= 0),
    );
  }

  async configure(name: string, config: TopicConfig): Promise<void> {
    const before = await this.describe(name);
    if (before === undefined) throw unknownTopic(name);
    const wanted = changeConfig(name, before.config, config);
    await this.#retrying(`configure topic "${name}"`, async () => {
      const [answer] = await this.#cluster.ask(wire.alterConfigsApi, { topic: name, configs: toConfigs(config) });
      check(answer, 'configure the topic', name);
    });
    this.#topics.changed(name);
    await this.#until(`the configuration of topic "${name}" to be changed`, async () => {
      const now = (await this.describe(name))?.config;
      return now === undefined || JSON.stringify(now) === JSON.stringify(wanted);
    });
  }

  async deleteRecords(
    name: string,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void> {
    const topic = await this.#retrying(`find topic "${name}"`, () => this.#topics.refresh(name));
    if (topic === undefined) throw unknownTopic(name);
    const wrong = before.find(({ partition }) => topic.leaders[partition] === undefined);
    if (wrong !== undefined) throw unknownPartition({ topic: name, partition: wrong.partition }, topic.leaders.length);
    await Promise.all(before.map((each) => this.#deleteBefore({ ...each, topic: name })));
  }

  async #deleteBefore(before: wire.OffsetBefore): Promise<void> {
    const { topic, partition, offset } = before;
    await this.#retrying(`delete records of "${topic}"`, async () => {
      const leader = await this.#topics.leader(topic, partition);
      const { requestTimeoutMs: timeoutMs } = this.#cluster.settings;
      const [answer] = await this.#cluster.request(leader, 'main', wire.deleteRecordsApi, {
        before: [before],
        timeoutMs,
      });
      if (answer?.errorCode === Code.OFFSET_OUT_OF_RANGE) {
        const [start, end] = await Promise.all(
          (['earliest', 'latest'] as const).map((query) => this.#offsets.find(topic, query, [partition])),
        );
        throw outOfRange(before, offset, start?.get(partition) ?? 0, end?.get(partition) ?? 0);
      }
      if (answer !== undefined && answer.errorCode !== 0) {
        this.#topics.forget(topic);
        throw kafkaError(answer.errorCode, 'delete records', topic, { topic, partition });
      }
    });
  }

  #retrying<T>(doing: string, attempt: () => Promise<T>, onRetry: () => void = () => undefined): Promise<T> {
    const { settings, signal } = this.#cluster;
    return retrying({ doing, limitMs: settings.requestTimeoutMs, signal, onRetry }, attempt);
  }

  /** Waits until all brokers that can be reached have heard of a change. */
  async #everywhere(name: string, holds: (topic: TopicMetadata) => boolean): Promise<void> {
    for (const node of this.#cluster.nodeIds) {
      await this.#until(`broker ${node} to hear of the change of topic "${name}"`, async () => {
        try {
          const { topics } = await this.#cluster.request(node, 'main', metadataApi, { topics: [name] });
          return topics[0] === undefined || holds(topics[0]);
        } catch {
          return true;
        }
      });
    }
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const { settings, signal } = this.#cluster;
    const deadline = performance.now() + settings.requestTimeoutMs;
    while (!(await condition())) {
      if (performance.now() > deadline || signal.aborted) throw kafkaError(7, `wait for ${what}`);
      await pause(5, signal);
    }
  }
}

function check(answer: wire.TopicAnswer | undefined, doing: string, topic: string): void {
  if (answer === undefined || answer.errorCode === 0) return;
  if (answer.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) throw unknownTopic(topic);
  const details = answer.message === null ? {} : { hint: answer.message };
  throw kafkaError(answer.errorCode, doing, topic, { topic, ...details });
}
