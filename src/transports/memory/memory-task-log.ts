import type {
  Capabilities,
  CommittedOffset,
  Fetcher,
  FetcherOptions,
  GroupOptions,
  OffsetQuery,
  OutgoingBatch,
  TaskLog,
  TopicPartition,
} from '../../log/transport.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import { LocalFetcher } from '../local/fetcher.ts';
import { LocalSession } from '../local/session.ts';
import type { MemoryLog } from './memory-log.ts';
import type { PreparedBatch } from './memory-partition.ts';

export const MEMORY_CAPABILITIES: Capabilities = { atomicCommit: true, stateWithLog: true };

/** The task log on a log in memory: every answer is synchronous, so an engine on it never waits. */
export class MemoryTaskLog implements TaskLog {
  readonly kind = 'memory';
  readonly capabilities: Capabilities = MEMORY_CAPABILITIES;
  readonly topics: TaskLog['topics'];
  readonly #log: MemoryLog;
  readonly #stores: StoreBackend;
  readonly #soon: ((callback: () => void) => void) | undefined;

  /**
   * @param stores - Where state is kept (default: with the log).
   * @param soon - How fetchers announce that there is more to read. The default is a microtask, which keeps everything
   * it references alive until the process returns to its event loop.
   */
  constructor(log: MemoryLog, stores: StoreBackend = log.stores, soon?: (callback: () => void) => void) {
    this.#log = log;
    this.#stores = stores;
    this.#soon = soon;
    this.topics = {
      facts: async (names) =>
        new Map(names.flatMap((name) => log.known(name) ?? []).map((topic) => [topic.name, topic])),
      deleteRecords: async (name, before) => log.deleteRecords(name, before),
    };
  }

  offsets(topic: string, query: OffsetQuery, partitions?: readonly number[]): ReadonlyMap<number, number> {
    return this.#log.offsets(topic, query, partitions);
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): readonly CommittedOffset[] {
    return this.#log.committed(groupId, partitions);
  }

  fetcher(options: FetcherOptions): Fetcher {
    const log = this.#log;
    const soon = this.#soon;
    return new LocalFetcher(
      {
        ...(soon && { soon }),
        topicId: (topic) => log.known(topic)?.id,
        read: (topic, partition, offset, topicId) => log.read(topic, partition, offset, topicId),
        endOffset: (topic, partition) => log.endOffset(topic, partition),
        onChange: (listener) => log.onChange(listener),
        waitingFor: () => undefined,
      },
      options,
    );
  }

  /** @param left - Called when the session has ended. */
  group(options: GroupOptions, left: () => void = () => undefined): LocalSession<PreparedBatch> {
    const log = this.#log;
    const stores = this.#stores;
    return log.groups.join(
      options,
      (seat) =>
        new LocalSession(options.groupId, seat, {
          stores,
          prepare: (batch) => prepare(log, batch),
          commit: (commit) => {
            if (stores === log.stores) log.commit(commit);
            else {
              stores.apply(commit.state);
              log.commit({ ...commit, state: [] });
            }
          },
          waitingFor: () => undefined,
          left,
        }),
    );
  }
}

/** Batches are stored uncompressed; a codec is only needed to measure one that may be too large. */
export function prepare(log: MemoryLog, batch: OutgoingBatch): PreparedBatch | Promise<PreparedBatch> {
  const limit = log.describe(batch.topic)?.config.maxMessageBytes ?? Number.POSITIVE_INFINITY;
  const take = (): PreparedBatch => log.prepare(batch, batch.records, batch.compression);
  if (batch.compression === 'none' || batch.records.sizeInBytes <= limit) return take();
  return ensureCodec(batch.compression).then(take);
}
