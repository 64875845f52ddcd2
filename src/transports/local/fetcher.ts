import { MillraceError } from '../../errors.ts';
import type { FetchedBatch, Fetcher, FetcherOptions, OffsetOrigin } from '../../log/transport.ts';
import { ByPartition } from './by-partition.ts';
import { closed } from './errors.ts';

/** What a fetcher needs from the log below it. */
export interface FetchLog {
  /** The id of the topic that has a name now; it differs from those that had the name before. */
  topicId(topic: string): string | undefined;
  /**
   * The batch at an offset of a topic, or the rest of it; `undefined` at the end. A promise means that it is not
   * readable yet: try again when it settles.
   *
   * @throws MillraceError for this partition
   */
  read(
    topic: string,
    partition: number,
    offset: number,
    topicId: string | undefined,
  ): FetchedBatch | Promise<void> | undefined;
  /** The offset after the last record; `undefined` if the partition does not exist. */
  endOffset(topic: string, partition: number): number | undefined;
  /**
   * Calls back when a partition may have changed (any partition, without arguments), until the returned function is
   * called.
   */
  onChange(listener: (topic?: string, partition?: number) => void): () => void;
  waitingFor(): string | undefined;
  /** Calls back once the caller has finished (default: a microtask). */
  soon?(callback: () => void): void;
}

interface Position {
  readonly topic: string;
  readonly partition: number;
  /** What its offsets belong to. */
  readonly origin: OffsetOrigin;
  offset: number;
  /** The last known end of the partition. */
  seenEnd: number | undefined;
  /** Set while the log makes the next batch readable. */
  pending: Promise<void> | undefined;
  error: MillraceError | undefined;
}

const UNKNOWN: OffsetOrigin = {};

/**
 * Reads directly from a log on this machine: nothing is fetched ahead, so partitions that are not polled take no
 * memory.
 */
export class LocalFetcher implements Fetcher {
  readonly #log: FetchLog;
  readonly #options: FetcherOptions;
  readonly #positions = new ByPartition<Position>();
  readonly #stop: () => void;
  #closed = false;
  #scheduled = false;

  constructor(log: FetchLog, options: FetcherOptions) {
    this.#log = log;
    this.#options = options;
    this.#stop = log.onChange((topic, partition) => this.#changed(topic, partition));
  }

  assign(topic: string, partition: number, offset: number, origin?: OffsetOrigin): void {
    if (this.#closed) throw closed('fetcher');
    const seenEnd = this.#log.endOffset(topic, partition);
    const topicId = origin?.topicId ?? this.#log.topicId(topic);
    this.#positions.set(topic, partition, {
      topic,
      partition,
      origin: topicId === undefined ? UNKNOWN : { topicId },
      offset,
      seenEnd,
      pending: undefined,
      error: undefined,
    });
    if (seenEnd !== offset) this.#ready();
  }

  unassign(topic: string, partition: number): void {
    this.#positions.delete(topic, partition);
  }

  poll(topic: string, partition: number): FetchedBatch | undefined {
    const position = this.#positions.get(topic, partition);
    if (this.#closed || position === undefined || position.pending !== undefined) return undefined;
    if (position.error !== undefined) throw position.error;
    const { timing } = this.#options;
    const began = timing?.begin() ?? 0;
    const batch = this.#log.read(topic, partition, position.offset, position.origin.topicId);
    if (batch instanceof Promise) {
      this.#await(position, batch);
      return undefined;
    }
    if (batch === undefined) {
      position.seenEnd = position.offset;
      return undefined;
    }
    timing?.came(began);
    position.seenEnd = batch.endOffset;
    position.offset = batch.nextOffset;
    return batch;
  }

  #await(position: Position, pending: Promise<void>): void {
    position.pending = pending.then(
      () => undefined,
      (error: unknown) => {
        // Reported by every poll until the partition is assigned again.
        position.error =
          error instanceof MillraceError
            ? error
            : new MillraceError('store', 'ERR_READ', 'Reading failed', { ...position, cause: error });
      },
    );
    void position.pending.then(() => {
      position.pending = undefined;
      this.#ready();
    });
  }

  origin(topic: string, partition: number): OffsetOrigin {
    return this.#positions.get(topic, partition)?.origin ?? UNKNOWN;
  }

  endOffset(topic: string, partition: number): number | undefined {
    return this.#log.endOffset(topic, partition);
  }

  writtenEnd(topic: string, partition: number): number | undefined {
    return this.endOffset(topic, partition);
  }

  waitingFor(): string | undefined {
    return this.#log.waitingFor();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#positions.clear();
  }

  #changed(topic?: string, partition?: number): void {
    if (topic !== undefined && partition !== undefined) {
      if (this.#positions.has(topic, partition)) this.#ready();
      return;
    }
    for (const position of this.#positions.values()) {
      if (topic !== undefined && position.topic !== topic) continue;
      const end = this.#log.endOffset(position.topic, position.partition);
      if (end === position.seenEnd) continue;
      position.seenEnd = end;
      this.#ready();
    }
  }

  #ready(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    const told = (): void => {
      this.#scheduled = false;
      if (!this.#closed) this.#options.onReady();
    };
    if (this.#log.soon === undefined) queueMicrotask(told);
    else this.#log.soon(told);
  }
}
