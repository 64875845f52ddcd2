import { type Awaitable, every } from '../../log/awaitable.ts';
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
import type { ReadableStores } from '../../state/byte-store.ts';
import { closed } from '../local/errors.ts';
import { oneByOne } from '../local/one-by-one.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import { PromisedSession } from '../local/session.ts';
import { MemoryLog } from './memory-log.ts';
import { MEMORY_CAPABILITIES, MemoryTaskLog, prepare } from './memory-task-log.ts';

/**
 * Runs pipelines on a log in memory, for tests and experiments. Nothing survives the process.
 *
 * @param log - The log to use (default: a new one). Pass the same one to several transports to share it, as processes
 * share a folder.
 * @public
 */
export function memoryTransport(log: MemoryLog = new MemoryLog()): OpenTransport {
  return async () => new MemoryTransport(log);
}

class MemoryTransport implements Transport {
  readonly kind = 'memory';
  readonly location = 'the log in memory';
  readonly capabilities: Capabilities = MEMORY_CAPABILITIES;
  readonly topics: TopicAdmin;
  readonly #log: MemoryLog;
  readonly #tasks: MemoryTaskLog;
  readonly #open = new Set<{ close(): Awaitable<void> }>();
  #closed = false;

  constructor(log: MemoryLog) {
    this.#log = log;
    this.#tasks = new MemoryTaskLog(log);
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

  async deleteGroup(groupId: string): Promise<void> {
    this.#live().deleteGroup(groupId);
  }

  state(applicationId: string): ReadableStores {
    return {
      open: (id) => this.#live().stores.open(id),
      list: () => this.#live().stores.list(applicationId),
    };
  }

  fetcher(options: FetcherOptions): Fetcher {
    this.#live();
    return this.#keep(this.#tasks.fetcher(options));
  }

  producer(): Producer {
    return this.#keep(new MemoryProducer(this.#live()));
  }

  async group(options: GroupOptions): Promise<GroupSession> {
    this.#live();
    const member = { close: async () => session.leave() };
    const session = this.#tasks.group(options, () => void this.#open.delete(member));
    this.#open.add(member);
    return new PromisedSession(session);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await every([...this.#open].map((part) => part.close()));
    this.#open.clear();
  }

  #keep<P extends { close(): Awaitable<void> }>(part: P): P {
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
