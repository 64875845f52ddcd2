import { pause } from '../../dataflow/clock.ts';
import type {
  FullTopicConfig,
  KnownTopic,
  NewTopic,
  TopicAdmin,
  TopicConfig,
  TopicDescription,
  TopicFacts,
} from '../../log/transport.ts';
import { outOfRange, topicExists, unknownPartition, unknownTopic } from '../local/errors.ts';
import {
  changeConfig,
  checkPartitionCount,
  checkTopicName,
  DEFAULT_TOPIC_CONFIG,
  withoutOwner,
} from '../local/topic-config.ts';
import type { Cluster } from './cluster.ts';
import { Code, codeClass } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import type { Offsets } from './offsets.ts';
import { retrying } from './retry.ts';
import * as setting from './topic-configs.ts';
import type { KnownTopic as FoundTopic, Topics } from './topics.ts';
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
    const known = (await this.describeAll([name])).get(name);
    return known && { name, partitions: known.partitions, config: known.config };
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
        const [answer] = await this.#cluster.ask(wire.createTopicsApi, {
          topics: [{ topic: name, partitions, replicationFactor: -1, configs: setting.newConfigs(config) }],
          timeoutMs: this.#cluster.settings.requestTimeoutMs,
        });
        if (answer?.errorCode === Code.TOPIC_ALREADY_EXISTS) {
          // After a lost response, this call may have created it.
          if (ifMissing || uncertain) return;
          throw topicExists(name);
        }
        check(answer, 'create the topic', name);
      },
      () => (uncertain = true),
    );
    this.#topics.changed(name);
    await this.#everywhere([name], hasLeaders);
  }

  async createAll(topics: readonly NewTopic[]): Promise<void> {
    for (const { config, name, partitions } of topics) {
      checkTopicName(name);
      checkPartitionCount(name, partitions);
      changeConfig(name, DEFAULT_TOPIC_CONFIG, config);
    }
    for (const some of portions(topics)) {
      const names = some.map(({ name }) => name);
      await this.#retrying(
        `create topics ${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`,
        async () => {
          const answers = await this.#cluster.ask(wire.createTopicsApi, {
            topics: some.map(({ config, name: topic, partitions }) => {
              return { topic, partitions, replicationFactor: -1, configs: setting.newConfigs(config) };
            }),
            timeoutMs: this.#cluster.settings.requestTimeoutMs,
          });
          for (const answer of answers) {
            if (answer.errorCode !== Code.TOPIC_ALREADY_EXISTS) check(answer, 'create the topic', answer.topic);
          }
        },
      );
      for (const name of names) this.#topics.changed(name);
      await this.#everywhere(names, hasLeaders);
    }
  }

  async facts(names: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>> {
    const found = await this.#retrying('look topics up', () => this.#topics.lookUp(names));
    return new Map(Array.from(found, ([name, { id, leaders }]) => [name, { name, id, partitions: leaders.length }]));
  }

  async describeAll(names: readonly string[]): Promise<ReadonlyMap<string, KnownTopic>> {
    return this.#retrying('describe topics', async () => {
      const found = await this.#topics.lookUp(names);
      const known = new Map<string, KnownTopic>();
      if (found.size === 0) return known;
      const answers = await this.#cluster.ask(wire.describeConfigsApi, {
        topics: [...found.keys()],
        names: setting.CONFIG_NAMES,
      });
      for (const { configs, errorCode, topic: name } of answers) {
        if (errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) continue;
        if (errorCode !== 0) throw kafkaError(errorCode, 'describe the topic', name, { topic: name });
        const { id, leaders } = found.get(name) as FoundTopic;
        known.set(name, { name, id, partitions: leaders.length, config: setting.fromConfigs(configs) });
      }
      return known;
    });
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
    await this.#everywhere([name], (topic) => topic.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION);
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
      [name],
      ({ partitions }) => partitions.length >= total && partitions.every(({ leader }) => leader >= 0),
    );
  }

  async configure(name: string, config: TopicConfig): Promise<void> {
    const before = await this.describe(name);
    if (before === undefined) throw unknownTopic(name);
    const changed = changeConfig(name, before.config, config);
    const given = setting.toConfigs(config);
    const unmark = setting.unmarkBefore(before.config, config);
    const more = unmark.filter((entry) => !given.some((other) => other.name === entry.name));
    await this.#alter(name, [...given, ...more], unmark.length === 0 ? changed : withoutOwner(changed));
  }

  /** Changes settings of a topic, and waits until the change can be seen. */
  async #alter(name: string, configs: readonly wire.ConfigEntry[], wanted: FullTopicConfig): Promise<void> {
    await this.#retrying(`configure topic "${name}"`, async () => {
      const [answer] = await this.#cluster.ask(wire.alterConfigsApi, [{ topic: name, configs }]);
      check(answer, 'configure the topic', name);
    });
    this.#topics.changed(name);
    await this.#until(`the configuration of topic "${name}" to be changed`, async () => {
      const now = (await this.describe(name))?.config;
      return now === undefined || JSON.stringify(now) === JSON.stringify(wanted);
    });
  }

  /**
   * A setting can be overwritten, so if two applications find no mark and write theirs, the later one wins. After
   * writing, an application therefore waits long enough for another write and checks again.
   */
  async claimAll(names: readonly string[], claim: string): Promise<void> {
    const found = await this.describeAll(names);
    const changes = [...found.values()].flatMap(({ config, name: topic }): wire.ConfigChange[] => {
      if (config.owner !== undefined || config.claim !== undefined) return [];
      const configs = setting.claimEntries({ cleanup: config.cleanup }, claim);
      return configs.length === 0 ? [] : [{ topic, configs }];
    });
    if (changes.length === 0) return;
    const marked = await this.#retrying('mark topics', async () => {
      const answers = await this.#cluster.ask(wire.alterConfigsApi, changes);
      for (const { errorCode, topic } of answers) {
        if (errorCode === 0 || errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) continue;
        // Without permission to change settings, the application continues without a mark.
        if (codeClass(errorCode) === 'retriable') throw kafkaError(errorCode, 'mark the topic', topic, { topic });
      }
      return answers.filter(({ errorCode }) => errorCode === 0).map(({ topic }) => topic);
    });
    if (marked.length === 0) return;
    for (const node of this.#cluster.nodeIds) {
      await this.#until(`broker ${node} to hear of the marks of topics "${marked.join('", "')}"`, async () => {
        const query = { topics: marked, names: setting.CONFIG_NAMES };
        const answers = await this.#cluster
          .request(node, 'main', wire.describeConfigsApi, query)
          .catch((): readonly wire.DescribedConfigs[] => []);
        return answers.every(({ configs, errorCode }) => errorCode !== 0 || isMarked(setting.fromConfigs(configs)));
      });
    }
    await pause(this.#cluster.machine.clock, CLAIM_MS, this.#cluster.signal);
  }

  async release(name: string): Promise<void> {
    const before = await this.describe(name);
    if (before === undefined) throw unknownTopic(name);
    const unmark = setting.unmarkEntries(before.config);
    if (unmark.length > 0) await this.#alter(name, unmark, withoutOwner(before.config));
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
    return retrying(this.#cluster.machine, { doing, limitMs: settings.requestTimeoutMs, signal, onRetry }, attempt);
  }

  /** Waits until all brokers that can be reached have heard of a change. */
  async #everywhere(names: readonly string[], holds: (topic: TopicMetadata) => boolean): Promise<void> {
    for (const node of this.#cluster.nodeIds) {
      await this.#until(`broker ${node} to hear of the change of topic "${names.join('", "')}"`, async () => {
        try {
          const { topics } = await this.#cluster.request(node, 'main', metadataApi, { topics: names });
          return topics.every(holds);
        } catch {
          return true;
        }
      });
    }
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const { machine, settings, signal } = this.#cluster;
    const deadline = machine.clock.monotonic() + settings.requestTimeoutMs;
    while (!(await condition())) {
      if (machine.clock.monotonic() > deadline || signal.aborted) throw kafkaError(7, `wait for ${what}`);
      await pause(machine.clock, 5, signal);
    }
  }
}

/** How long a claim waits for a concurrent one, in ms. */
const CLAIM_MS = 500;

const isMarked = ({ claim, owner }: FullTopicConfig): boolean => claim !== undefined || owner !== undefined;

/** The most topics and partitions that a request creates, so that the controller answers in time. */
const MAX_TOPICS = 500;
const MAX_PARTITIONS = 2000;

function* portions(topics: readonly NewTopic[]): Generator<readonly NewTopic[]> {
  let some: NewTopic[] = [];
  let partitions = 0;
  for (const topic of topics) {
    if (some.length >= MAX_TOPICS || (some.length > 0 && partitions + topic.partitions > MAX_PARTITIONS)) {
      yield some;
      some = [];
      partitions = 0;
    }
    some.push(topic);
    partitions += topic.partitions;
  }
  if (some.length > 0) yield some;
}

const hasLeaders = ({ errorCode, partitions }: TopicMetadata): boolean =>
  errorCode === 0 && partitions.every(({ leader }) => leader >= 0);

function check(answer: wire.TopicAnswer | undefined, doing: string, topic: string): void {
  if (answer === undefined || answer.errorCode === 0) return;
  if (answer.errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) throw unknownTopic(topic);
  const details = answer.message === null ? {} : { hint: answer.message };
  throw kafkaError(answer.errorCode, doing, topic, { topic, ...details });
}
