import type {
  AppendResult,
  Capabilities,
  CommittedOffset,
  Fetcher,
  FetcherOptions,
  GroupFacts,
  GroupOptions,
  GroupSession,
  KnownTopic,
  OffsetQuery,
  OpenTransport,
  OutgoingBatch,
  Producer,
  TopicAdmin,
  TopicPartition,
  Transport,
} from '../../log/transport.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { closed } from '../local/errors.ts';
import { LocalFetcher } from '../local/fetcher.ts';
import { oneByOne } from '../local/one-by-one.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import { LocalSession } from '../local/session.ts';
import { MemoryLog } from './memory-log.ts';
import type { PreparedBatch } from './memory-partition.ts';

/**
 * Runs pipelines on a log in memory: for tests, and for trying things out. Nothing survives the process.
 *
 * @param log - The log to use; a new one unless given. Give the same one to several transports to make them share it, as
 * processes share a folder.
 * @public
 */
export function memoryTransport(log: MemoryLog = new MemoryLog()): OpenTransport {
  return async () => new MemoryTransport(log);
}

class MemoryTransport implements Transport {
  readonly kind = 'memory';
  readonly location = 'memory of this process';
  readonly capabilities: Capabilities = { atomicCommit: true, stateWithLog: true };
  readonly topics: TopicAdmin;
  readonly #log: MemoryLog;
  readonly #open = new Set<{ close(): Promise<void> }>();
  #closed = false;

  constructor(log: MemoryLog) {
    this.#log = log;
    this.topics = {
      list: async () => this.#live().list(),
      describe: async (name) => this.#live().describe(name),
      create: async (name, options) => this.#live().create(name, options),
      delete: async (name) => this.#live().delete(name),
      addPartitions: async (name, total) => this.#live().addPartitions(name, total),
      facts: async (names) => known(this.#live(), names),
      describeAll: async (names) => known(this.#live(), names),
      createAll: async (topics) => {
        const live = this.#live();
        for (const { name, ...options } of topics) live.create(name, { ...options, ifMissing: true });
      },
      configure: async (name, config) => this.#live().configure(name, config),
      claimAll: async (names, claim) => this.#live().claim(names, claim),
      release: async (name) => this.#live().release(name),
      deleteRecords: async (name, before) => this.#live().deleteRecords(name, before),
    };
  }

  async offsets(
    topic: string,
    query: OffsetQuery,
    partitions?: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    return this.#live().offsets(topic, query, partitions);
  }

  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#live().committed(groupId, partitions);
  }

  async committedTopics(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlySet<string>> {
    return new Set(
      this.#live()
        .committed(groupId, partitions)
        .map(({ topic }) => topic),
    );
  }

  async setCommitted(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    this.#live().setCommitted(groupId, offsets);
  }

  async groups(): Promise<readonly string[]> {
    return this.#live().groupIds();
  }

  async describeGroup(groupId: string): Promise<GroupFacts | undefined> {
    return this.#live().describeGroup(groupId);
  }

  fetcher(options: FetcherOptions): Fetcher {
    const log = this.#live();
    return this.#keep(
      new LocalFetcher(
        {
          topicId: (topic) => log.known(topic)?.id,
          read: (topic, partition, offset, topicId) => log.read(topic, partition, offset, topicId),
          endOffset: (topic, partition) => log.endOffset(topic, partition),
          onChange: (listener) => log.onChange(listener),
          waitingFor: () => undefined,
        },
        options,
      ),
    );
  }

  producer(): Producer {
    return this.#keep(new MemoryProducer(this.#live()));
  }

  async group(options: GroupOptions): Promise<GroupSession> {
    const log = this.#live();
    const seat = log.groups.join(options);
    const member = { close: () => session.leave() };
    const session: LocalSession<PreparedBatch> = new LocalSession(options.groupId, seat, {
      stores: log.stores,
      prepare: (batch) => prepare(log, batch),
      commit: async (commit) => log.commit(commit),
      waitingFor: () => undefined,
      left: async () => void this.#open.delete(member),
    });
    this.#open.add(member);
    return session;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((part) => part.close()));
    this.#open.clear();
  }

  #keep<P extends { close(): Promise<void> }>(part: P): P {
    this.#open.add(part);
    return part;
  }

  #live(): MemoryLog {
    if (this.#closed) throw closed('transport');
    return this.#log;
  }
}

function known(log: MemoryLog, names: readonly string[]): ReadonlyMap<string, KnownTopic> {
  return new Map(names.flatMap((name) => log.known(name) ?? []).map((topic) => [topic.name, topic]));
}

class MemoryProducer implements Producer {
  readonly sendEach: Producer['sendEach'] = oneByOne((batches) => this.send(batches));
  readonly #log: MemoryLog;
  readonly #gate = new OrderedGate();
  #closed = false;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  async send(batches: readonly OutgoingBatch[]): Promise<readonly AppendResult[]> {
    if (this.#closed) throw closed('producer');
    return this.#gate.run(
      prepareAll(batches, (batch) => prepare(this.#log, batch)),
      (ready) => {
        const offsets = this.#log.append(ready);
        return ready.map(({ topic, partition }, i) => ({ topic, partition, baseOffset: offsets[i]! }));
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}

/** Batches are kept uncompressed; a codec is needed only to measure one that may be too large. */
function prepare(log: MemoryLog, batch: OutgoingBatch): PreparedBatch | Promise<PreparedBatch> {
  const limit = log.describe(batch.topic)?.config.maxMessageBytes ?? Number.POSITIVE_INFINITY;
  const take = (): PreparedBatch => log.prepare(batch, batch.records, batch.compression);
  if (batch.compression === 'none' || batch.records.sizeInBytes <= limit) return take();
  return ensureCodec(batch.compression).then(take);
}
