import type {
  Capabilities,
  CommittedOffset,
  Fetcher,
  FetcherOptions,
  GroupFacts,
  GroupOptions,
  GroupSession,
  OffsetQuery,
  Producer,
  TopicAdmin,
  TopicPartition,
  Transport,
} from '../../log/transport.ts';
import type { LocalStores, OpenLocalStores } from '../../state/byte-store.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { closed } from '../local/errors.ts';
import { AtLeastOnceWriter } from './at-least-once.ts';
import { Cluster } from './cluster.ts';
import { BatchEncoder } from './encode-batches.ts';
import { ExactlyOnceWriter } from './exactly-once.ts';
import { KafkaFetcher } from './fetcher.ts';
import { GroupMember, type MemberOptions } from './group-member.ts';
import { GroupMemories } from './group-memory.ts';
import { GroupOffsets } from './group-offsets.ts';
import { warnOfInsecure } from './insecure.ts';
import type { Machine } from './machine.ts';
import { Offsets } from './offsets.ts';
import type { KafkaSettings } from './options.ts';
import { KafkaProducer } from './producer.ts';
import { KafkaSession } from './session.ts';
import { KafkaTopicAdmin } from './topic-admin.ts';
import { Topics } from './topics.ts';

/** A Kafka cluster as a log for task engines. */
export class KafkaTransport implements Transport {
  readonly kind = 'kafka';
  readonly location: string;
  readonly capabilities: Capabilities;
  readonly topics: TopicAdmin;
  readonly #cluster: Cluster;
  readonly #topics: Topics;
  readonly #offsets: Offsets;
  readonly #groupOffsets: GroupOffsets;
  readonly #openStores: OpenLocalStores;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #memories = new GroupMemories();
  #closed = false;

  private constructor(cluster: Cluster) {
    const { settings } = cluster;
    this.location = settings.brokers.join(', ');
    this.capabilities = { atomicCommit: settings.exactlyOnce, stateWithLog: false };
    this.#cluster = cluster;
    this.#topics = new Topics(cluster);
    this.#offsets = new Offsets(cluster, this.#topics);
    this.#groupOffsets = new GroupOffsets(cluster, this.#topics);
    this.#openStores = settings.stores ?? inMemory();
    const admin = new KafkaTopicAdmin(cluster, this.#topics, this.#offsets);
    this.topics = guarded(admin, () => this.#live());
  }

  /** @throws MillraceError that says why no broker can be used */
  static async open(settings: KafkaSettings, machine?: Machine): Promise<KafkaTransport> {
    warnOfInsecure(settings);
    const cluster = new Cluster(settings, machine);
    await cluster.connect();
    return new KafkaTransport(cluster);
  }

  async offsets(
    topic: string,
    query: OffsetQuery,
    partitions?: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    this.#live();
    return this.#offsets.find(topic, query, partitions);
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    this.#live();
    return this.#groupOffsets.committed(groupId, partitions);
  }

  async committedTopics(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlySet<string>> {
    this.#live();
    return this.#groupOffsets.topics(groupId, partitions);
  }

  async setCommitted(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    this.#live();
    return this.#groupOffsets.set(groupId, offsets);
  }

  async deleteGroup(groupId: string): Promise<void> {
    this.#live();
    return this.#groupOffsets.delete(groupId);
  }

  async groups(): Promise<readonly string[]> {
    this.#live();
    return this.#groupOffsets.groups();
  }

  async describeGroup(groupId: string, stable = true): Promise<GroupFacts | undefined> {
    this.#live();
    return this.#groupOffsets.describe(groupId, stable);
  }

  fetcher(options: FetcherOptions): Fetcher {
    this.#live();
    return this.#keep(new KafkaFetcher(this.#cluster, this.#topics, this.#offsets, options));
  }

  producer(): Producer {
    this.#live();
    return this.#keep(new KafkaProducer(this.#cluster, this.#topics));
  }

  async group(options: GroupOptions): Promise<GroupSession> {
    this.#live();
    const { machine, settings } = this.#cluster;
    const { exactlyOnce, instanceId } = settings;
    const stores = await this.#openStores(options.groupId);
    const transactionalId = exactlyOnce ? `${options.groupId}-${instanceId ?? machine.name()}` : null;
    let begin = (): void => undefined;
    let begun: Promise<void> | undefined = new Promise<void>((resolve) => {
      begin = resolve;
    });
    // At the start, tasks are assigned only once their outputs can be written, and not at all if they cannot. Later
    // they are assigned at once, because a commit in between would belong to an old generation.
    const onAssigned: MemberOptions['onAssigned'] = async (ids, generation) => {
      if (begun !== undefined) await begun;
      await options.onAssigned(ids, generation, session);
    };
    const memory = this.#memories.of(options.groupId);
    const member = new GroupMember(this.#cluster, { ...options, onAssigned }, transactionalId, memory);
    const encoder = new BatchEncoder(this.#cluster, this.#topics, exactlyOnce);
    const writer =
      transactionalId === null
        ? new AtLeastOnceWriter(this.#cluster, this.#topics, member, stores, encoder)
        : new ExactlyOnceWriter(this.#cluster, this.#topics, member, stores, encoder, transactionalId);
    const part = { close: () => session.leave() };
    const session: KafkaSession = new KafkaSession(member, writer, encoder, stores, () => this.#open.delete(part));
    this.#open.add(part);
    try {
      await member.join();
      await writer.begin();
    } catch (error) {
      await session.leave();
      throw error;
    }
    begin();
    begun = undefined;
    return session;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#open].map((part) => part.close()));
    this.#open.clear();
    this.#cluster.close();
  }

  #keep<P extends { close(): Promise<void> }>(part: P): P {
    this.#open.add(part);
    return part;
  }

  #live(): void {
    if (this.#closed) throw closed('transport');
  }
}

/** Stores in memory that successive sessions of a transport share. */
function inMemory(): OpenLocalStores {
  const stores: LocalStores = { ...memoryStores(), close: async () => undefined };
  return async () => stores;
}

/** Wraps the administration so that it is refused once the transport is closed. */
function guarded(admin: TopicAdmin, check: () => void): TopicAdmin {
  const after = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      check();
      return call(...args);
    };
  };
  return {
    list: after(() => admin.list()),
    describe: after((name) => admin.describe(name)),
    create: after((name, options) => admin.create(name, options)),
    delete: after((name) => admin.delete(name)),
    addPartitions: after((name, total) => admin.addPartitions(name, total)),
    facts: after((names) => admin.facts(names)),
    describeAll: after((names) => admin.describeAll(names)),
    createAll: after((topics) => admin.createAll(topics)),
    configure: after((name, config) => admin.configure(name, config)),
    claimAll: after((names, claim) => admin.claimAll(names, claim)),
    release: after((name) => admin.release(name)),
    deleteRecords: after((name, before) => admin.deleteRecords(name, before)),
  };
}
