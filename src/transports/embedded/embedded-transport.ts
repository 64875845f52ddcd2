import { systemClock } from '../../dataflow/clock.ts';
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
  OpenProgress,
  OutgoingBatch,
  Producer,
  TopicAdmin,
  TopicPartition,
  Transport,
} from '../../log/transport.ts';
import type { Durability } from '../../options/durability.ts';
import { checkNames, checkOneOf, checkWhole, type OptionNames, requireText } from '../../options/option-checks.ts';
import type { ReadableStores } from '../../state/byte-store.ts';
import { closed } from '../local/errors.ts';
import { LocalFetcher } from '../local/fetcher.ts';
import { oneByOne } from '../local/one-by-one.ts';
import { OrderedGate } from '../local/ordered-gate.ts';
import { prepareAll } from '../local/prepare-all.ts';
import { LocalSession, PromisedSession } from '../local/session.ts';
import type { EmbeddedLog, EncodedBatch } from './embedded-log.ts';
import { type Environment, openEnvironment } from './environment.ts';
import { GroupOwnership } from './group-ownership.ts';
import { embeddedTopics } from './topic-admin.ts';

/** @public */
export interface EmbeddedOptions {
  /**
   * The folder of the log; created if missing, unless `create` is false. It must be on a local disk: LMDB is not safe
   * on a network file system.
   */
  readonly path: string;
  /**
   * Whether to create a log in a folder without one (default: true). With false, `ERR_NO_LOG` is thrown and nothing is
   * created.
   */
  readonly create?: boolean;
  /**
   * When a write is acknowledged. `fsync` (default): once it is on disk. `commit`: once it survives the end of this
   * process, but not of the machine. `memory`: at once and without any order on the disk, for tests only.
   */
  readonly durability?: Durability;
  /** Limit for the size of the data file, in bytes; writes beyond it fail with `ERR_DISK_FULL` (default: none). */
  readonly maxBytes?: number;
  /** How often retention and compaction run, in ms (default: 60,000). They also run soon after opening. */
  readonly maintenanceMs?: number;
  /**
   * Takes over an application even if its process is alive (default: false), for a process that hangs and cannot be
   * stopped. Any later commit of that process is refused.
   */
  readonly takeOver?: boolean;
  /** The clock for retention, in ms since the epoch (default: `Date.now`). */
  readonly now?: () => number;
}

const EMBEDDED_OPTIONS: OptionNames<EmbeddedOptions> = {
  path: true,
  create: true,
  durability: true,
  maxBytes: true,
  maintenanceMs: true,
  takeOver: true,
  now: true,
};

/**
 * Runs pipelines on a log in one folder: no broker, durable, with exactly-once commits. Several processes may use the
 * folder at once; one of them runs a given application, the others publish, read and inspect.
 *
 * The returned function rejects with a StoreError: `ERR_STORE_PERMISSION`, `ERR_NOT_A_LOG`, `ERR_STORE_VERSION`,
 * `ERR_CORRUPT_LOG`, `ERR_DISK_FULL`, `ERR_STORE_LOCKED`, `ERR_NO_LOG`.
 *
 * @public
 */
export function embeddedTransport(
  options: EmbeddedOptions,
): (progress?: OpenProgress) => Promise<EmbeddedLogTransport> {
  checkNames('embeddedTransport', options, EMBEDDED_OPTIONS);
  requireText('embeddedTransport', 'path', options.path);
  checkOneOf('embeddedTransport', 'durability', options.durability, ['fsync', 'commit', 'memory']);
  checkWhole('embeddedTransport', 'maxBytes', options.maxBytes, 1);
  checkWhole('embeddedTransport', 'maintenanceMs', options.maintenanceMs, 1);
  return async ({ waiting } = {}) =>
    new EmbeddedTransport(
      await openEnvironment({
        path: options.path,
        create: options.create ?? true,
        durability: options.durability ?? 'fsync',
        maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
        maintenanceMs: options.maintenanceMs ?? 60_000,
        now: options.now ?? (() => systemClock.now()),
        ...(waiting === undefined ? {} : { waiting }),
      }),
      options.takeOver ?? false,
    );
}

/** What a transport needs from its folder. */
export type OpenFolder = Omit<Environment, 'doorbell'> & { readonly doorbell: Pick<Environment['doorbell'], 'listen'> };

/** The transport of an embedded log, with its additional features. @public */
export interface EmbeddedLogTransport extends Transport {
  /**
   * Applies retention and compaction now. @param options - `now` in ms since the epoch; `force` also compacts where
   * little has changed.
   */
  maintain(options?: { readonly now?: number; readonly force?: boolean }): Promise<void>;
}

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
