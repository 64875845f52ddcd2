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
  OffsetQuery,
  OutgoingBatch,
  Producer,
  TopicAdmin,
  TopicPartition,
} from '../../log/transport.ts';
import type { ReadableStores } from '../../state/byte-store.ts';
import { closed } from '../local/errors.ts';
import { LocalFetcher } from '../local/fetcher.ts';
import { oneByOne } from '../local/one-by-one.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import { LocalSession, PromisedSession } from '../local/session.ts';
import type { EmbeddedLog, EncodedBatch } from './embedded-log.ts';
import type { EmbeddedLogTransport } from './embedded-log-transport.ts';
import type { Environment } from './environment.ts';
import { GroupOwnership } from './group-ownership.ts';
import { embeddedTopics } from './topic-admin.ts';

/** What a transport needs from its folder. */
export type OpenFolder = Omit<Environment, 'doorbell'> & { readonly doorbell: Pick<Environment['doorbell'], 'listen'> };

/** A transport over an open folder. */
export class EmbeddedTransport implements EmbeddedLogTransport {
  readonly kind = 'embedded';
  readonly capabilities: Capabilities = { atomicCommit: true, stateWithLog: true };
  readonly topics: TopicAdmin;
  readonly #environment: OpenFolder;
  readonly #takeOver: boolean;
  readonly #open = new Set<{ close(): Awaitable<void> }>();
  #closed: Promise<void> | undefined;

  constructor(environment: OpenFolder, takeOver: boolean) {
    this.#environment = environment;
    this.#takeOver = takeOver;
    this.topics = embeddedTopics(() => this.#live());
  }

  get location(): string {
    return this.#environment.path;
  }

  async maintain({ now, force }: { readonly now?: number; readonly force?: boolean } = {}): Promise<void> {
    this.#live();
    await this.#environment.maintain(now, force);
  }

  async offsets(
    name: string,
    query: OffsetQuery,
    partitions?: readonly number[],
  ): Promise<ReadonlyMap<number, number>> {
    const log = this.#live();
    if (typeof query === 'string') return log.offsets(name, query, partitions);
    const topic = log.topic(name);
    const found = new Map<number, number>();
    for (const partition of log.offsets(name, 'latest', partitions).keys()) {
      found.set(partition, await log.reader.offsetAt(topic, partition, query.time));
    }
    return found;
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
    await this.#live().setCommitted(groupId, offsets);
  }

  async groups(): Promise<readonly string[]> {
    return this.#live().groupIds();
  }

  async describeGroup(groupId: string): Promise<GroupFacts | undefined> {
    return this.#live().describeGroup(groupId);
  }

  async deleteGroup(groupId: string): Promise<void> {
    await this.#live().deleteGroup(groupId);
  }

  state(applicationId: string): ReadableStores {
    return {
      open: (id) => this.#live().stores.open(id),
      list: () => this.#live().stores.list(applicationId),
    };
  }

  fetcher(options: FetcherOptions): Fetcher {
    const log = this.#live();
    const { doorbell } = this.#environment;
    const fetcher = new LocalFetcher(
      {
        topicId: (topic) => log.topicId(topic),
        read: (topic, partition, offset, topicId) => log.reader.read(topic, partition, offset, topicId),
        endOffset: (topic, partition) => log.reader.endOffset(topic, partition),
        onChange: (listener) => {
          const silence = doorbell.listen();
          const stop = log.onChange(listener);
          return () => {
            stop();
            silence();
          };
        },
        waitingFor: () => undefined,
      },
      options,
    );
    return this.#keep(fetcher);
  }

  producer(): Producer {
    return this.#keep(new EmbeddedProducer(this.#live()));
  }

  async group(options: GroupOptions): Promise<GroupSession> {
    const log = this.#live();
    const ownership = await GroupOwnership.acquire(log, options.groupId, this.#takeOver);
    const silence = this.#environment.doorbell.listen();
    const member = { close: () => session.leave() };
    const left = async (): Promise<void> => {
      this.#open.delete(member);
      silence();
      await ownership.release();
    };
    let session: PromisedSession;
    try {
      session = log.groups.join(
        options,
        (seat) =>
          new PromisedSession(
            new LocalSession<EncodedBatch>(options.groupId, seat, {
              stores: log.stores,
              prepare: (batch) => log.prepare(batch),
              commit: (commit) => log.commit(commit, ownership.epoch),
              waitingFor: () => log.writer.waitingFor(),
              left,
            }),
          ),
      );
    } catch (error) {
      await left();
      throw error;
    }
    this.#open.add(member);
    return session;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await every([...this.#open].map((part) => part.close()));
    this.#open.clear();
    await this.#environment.release();
  }

  #keep<P extends { close(): Awaitable<void> }>(part: P): P {
    this.#open.add(part);
    return part;
  }

  #live(): EmbeddedLog {
    if (this.#closed !== undefined) throw closed('transport');
    return this.#environment.log;
  }
}

class EmbeddedProducer implements Producer {
  readonly sendEach: Producer['sendEach'] = oneByOne((batches) => this.send(batches));
  readonly #log: EmbeddedLog;
  readonly #gate = new OrderedGate();
  #closed = false;

  constructor(log: EmbeddedLog) {
    this.#log = log;
  }

  async send(batches: readonly OutgoingBatch[]): Promise<readonly AppendResult[]> {
    if (this.#closed) throw closed('producer');
    return this.#gate.run(
      prepareAll(batches, (batch) => this.#log.prepare(batch)),
      async (ready) => {
        const offsets = await this.#log.append(ready);
        return ready.map(({ topic, partition }, i) => ({ topic, partition, baseOffset: offsets[i]! }));
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
  }
}
