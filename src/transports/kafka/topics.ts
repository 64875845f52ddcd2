import { unknownPartition, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { KafkaError, kafkaError } from './errors.ts';
import { describeConfigsApi } from './wire/topic-requests.ts';

/** The partitions of a topic and their leaders. */
export interface KnownTopic {
  readonly name: string;
  /** Distinguishes the topic from earlier topics with the same name; `undefined` from brokers before 2.8. */
  readonly id?: string | undefined;
  /** Broker id of the leader of each partition; −1 while there is none. */
  readonly leaders: readonly number[];
  /** Leader epoch of each partition. */
  readonly epochs?: readonly number[];
}

/** Cached topic metadata, so that not every record causes a request. */
export class Topics {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, KnownTopic & { readonly until: number; moved: boolean }>();
  readonly #limits = new Map<string, { readonly bytes: number; readonly until: number }>();
  #wanted = new Set<string>();
  #asking: Promise<ReadonlyMap<string, KnownTopic | KafkaError>> | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** A topic, possibly a few seconds old; `undefined` if it does not exist. */
  async find(name: string): Promise<KnownTopic | undefined> {
    const known = this.#known.get(name);
    const fresh = known !== undefined && !known.moved && known.until > this.#cluster.machine.clock.monotonic();
    return fresh ? known : this.refresh(name);
  }

  /** The cached number of partitions, without a request. */
  peekPartitions(name: string): number | undefined {
    return this.#known.get(name)?.leaders.length;
  }

  /** The cached leader of a partition; `undefined` if a look-up is needed. */
  peekLeader(name: string, partition: number): number | undefined {
    const known = this.#known.get(name);
    const leader = known?.moved === true ? undefined : known?.leaders[partition];
    return leader === -1 ? undefined : leader;
  }

  /** The cached id of the topic with a name. */
  peekId(name: string): string | undefined {
    return this.#known.get(name)?.id;
  }

  /** The cached leader epoch of a partition; −1 if unknown. */
  peekEpoch(name: string, partition: number): number {
    return this.#known.get(name)?.epochs?.[partition] ?? -1;
  }

  /** The current topics, without those that do not exist. */
  async lookUp(names: readonly string[]): Promise<ReadonlyMap<string, KnownTopic>> {
    const found = new Map<string, KnownTopic>();
    if (names.length === 0) return found;
    for (const [name, known] of await this.#ask(names)) {
      if (known instanceof KafkaError) throw known;
      found.set(name, known);
    }
    return found;
  }

  /** The current state of a topic. */
  async refresh(name: string): Promise<KnownTopic | undefined> {
    this.#wanted.add(name);
    // Concurrent calls share a request.
    this.#asking ??= Promise.resolve().then(() => {
      const names = [...this.#wanted];
      this.#wanted = new Set();
      this.#asking = undefined;
      return this.#ask(names);
    });
    const found = (await this.#asking).get(name);
    // Calls that share a request must not get each other's errors.
    if (found instanceof KafkaError) throw found;
    return found;
  }

  /** Like `find`. @throws FatalError `ERR_UNKNOWN_TOPIC` */
  async get(name: string): Promise<KnownTopic> {
    const topic = (await this.find(name)) ?? (await this.refresh(name));
    if (topic === undefined) throw unknownTopic(name);
    return topic;
  }

  /**
   * The leader of a partition. @throws `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION`; retriable if there is currently
   * none
   */
  async leader(name: string, partition: number): Promise<number> {
    let topic = await this.get(name);
    if (topic.leaders[partition] === undefined || topic.leaders[partition] === -1) {
      topic = (await this.refresh(name)) ?? topic;
    }
    const leader = topic.leaders[partition];
    if (leader === undefined) throw unknownPartition({ topic: name, partition }, topic.leaders.length);
    if (leader === -1) {
      this.forget(name);
      throw kafkaError(5, 'find the leader of a partition', name, { topic: name, partition });
    }
    return leader;
  }

  /** Discards the cached leaders. */
  forget(name: string): void {
    const known = this.#known.get(name);
    if (known !== undefined) known.moved = true;
  }

  /** Called after this process has changed the topic. */
  changed(name: string): void {
    this.#known.delete(name);
    this.#limits.delete(name);
  }

  /** The batch size limit of a topic, in bytes; Kafka's default without permission to read it. */
  async maxMessageBytes(name: string): Promise<number> {
    const known = this.#limits.get(name);
    if (known !== undefined && known.until > this.#cluster.machine.clock.monotonic()) return known.bytes;
    const [answer] = await this.#cluster.ask(describeConfigsApi, { topics: [name], names: ['max.message.bytes'] });
    const value = Number(answer?.configs[0]?.value ?? 1_048_588);
    this.#limits.set(name, { bytes: value, until: this.#cluster.machine.clock.monotonic() + MAX_AGE_MS });
    return value;
  }

  /** Like `maxMessageBytes`, if it is cached. */
  peekMaxMessageBytes(name: string): number | undefined {
    const known = this.#limits.get(name);
    return known !== undefined && known.until > this.#cluster.machine.clock.monotonic() ? known.bytes : undefined;
  }

  /** Looks up topics: each as metadata or an error. */
  async #ask(names: readonly string[]): Promise<ReadonlyMap<string, KnownTopic | KafkaError>> {
    const { topics } = await this.#cluster.metadata(names);
    const found = new Map<string, KnownTopic | KafkaError>();
    for (const { topic, errorCode, id, partitions } of topics) {
      if (errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION || errorCode === Code.INVALID_TOPIC) {
        this.changed(topic);
        continue;
      }
      if (errorCode !== 0) {
        found.set(topic, kafkaError(errorCode, 'find a topic', topic, { topic }));
        continue;
      }
      const leaders: number[] = [];
      const epochs: number[] = [];
      for (const { partition, leader, leaderEpoch } of partitions) {
        leaders[partition] = leader;
        epochs[partition] = leaderEpoch;
      }
      const known = {
        name: topic,
        id,
        leaders,
        epochs,
        until: this.#cluster.machine.clock.monotonic() + MAX_AGE_MS,
        moved: false,
      };
      this.#known.set(topic, known);
      found.set(topic, known);
    }
    return found;
  }
}

const MAX_AGE_MS = 60_000;
