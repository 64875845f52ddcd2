import { StoreError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { storesOf } from '../../log/offset-mark.ts';
import { OutputBuffers } from '../../log/outputs.ts';
import type { CommittedOffset, Fetcher, OutgoingBatch, TaskLog, TopicDescription } from '../../log/transport.ts';
import { counted } from '../../options/counted.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import { type Headers, NO_HEADERS } from '../../record.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import { unwritable } from '../../state/checked-stores.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from '../../state/numbers.ts';
import { INPUTS_STORE, statePositions } from '../task/state-positions.ts';
import { BEGINNING, CommitNumbers } from './changelog-commit.ts';
import { ASIDE, isAside, storeKey } from './changelog-records.ts';
import { ChangelogReplay, type Mark, type ReplayStart } from './changelog-replay.ts';
import { type ChangelogWriter, generationOf, TaskWriter, UNSAID } from './changelog-writer.ts';

/** Store of the positions in their changelogs that the local stores have reached. Not a name that a user can give. */
export const POSITIONS = '#positions';

/**
 * A position in a changelog, when it was reached (ms since the epoch), the latest writer up to there, the first
 * writer since this process has owned the task, and one more than the number of the last commit, 0 for none.
 */
const POSITION_BYTES = 5 * NUMBER_BYTES;
/** Stores of version 0.1 have no writer, some later ones only the latest, and others no commit. */
const POSITION_BYTES_BEFORE: readonly number[] = [2 * NUMBER_BYTES, 3 * NUMBER_BYTES, 4 * NUMBER_BYTES];

/**
 * A compacted topic keeps a tombstone only for a time (`delete.retention.ms`). An older store might keep a deleted
 * entry. This fraction of the time leaves room for clock differences.
 */
const MAX_AGE = 0.5;

const TEXT = new TextDecoder();

/** Progress of a restoration, in records. @public */
export interface RestoreProgress {
  readonly store: string;
  readonly partition: number;
  readonly restored: number;
  readonly total: number;
}

/** The stores of a task, and the committed offsets of its inputs by topic. */
export interface RestoredTask {
  readonly stores: readonly StoreId[];
  readonly committed: ReadonlyMap<string, CommittedOffset>;
}

/** Name of the compacted topic from which a store can be rebuilt. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/** The position in its changelog that a local store has reached; 0 if unknown. */
export function changelogPosition(stores: Pick<StoreBackend, 'open'>, id: StoreId): number {
  const stored = stores.open({ ...id, store: POSITIONS }).get(storeKey(id.store));
  return stored === undefined ? 0 : readNumber(stored, 0);
}

/**
 * Keeps local stores and their changelog topics consistent, on logs that do not keep the state themselves.
 *
 * Every change is written to the changelog in its commit, and to the local store when that commit is acknowledged,
 * together with the position in the changelog. So a local store is never ahead of its changelog: after a crash it is
 * updated from its position instead of being discarded. The stored position is a lower bound (transaction markers are
 * not counted), which only means that a few changes of this process are read twice.
 *
 * Every record contains the generation of the group in which it was written. With at-least-once, a process that lost
 * its tasks may have had a write in flight that the broker appends after those of the new owner: a restore ignores it,
 * and the valid values of its keys are written to the changelog again. It also undoes a commit that a crash has kept from
 * reaching the changelogs of all stores of its task: see {@link ChangelogReplay}.
 */
export class Changelog {
  readonly #log: TaskLog;
  readonly #stores: StoreBackend;
  readonly #applicationId: string;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #topics: ReadonlyMap<string, TopicDescription>;
  readonly #buffers: OutputBuffers;
  readonly #positions = new Map<string, number>();
  /** The writer of each changelog; those of a task share one. */
  readonly #writers = new Map<string, TaskWriter>();
  /**
   * The first writer of each changelog since its store was restored here: from then to the latest, nobody else wrote.
   */
  readonly #since = new Map<string, ChangelogWriter>();
  readonly #commits = new CommitNumbers();
  /** Keys of ignored records, until the values of their stores are written again. */
  readonly #again = new Map<string, readonly Uint8Array[]>();
  #restoring: Promise<unknown> = Promise.resolve();
  #closed = false;
  #wake: (() => void) | undefined;

  /**
   * @param topics - Descriptions of the changelog topics, which exist.
   * @param now - Wall-clock time, epoch milliseconds.
   * @param logger - Reports ignored records.
   */
  constructor(
    log: TaskLog,
    stores: StoreBackend,
    applicationId: string,
    topics: ReadonlyMap<string, TopicDescription>,
    now: () => number,
    logger: Logger,
  ) {
    this.#now = now;
    this.#logger = logger;
    this.#log = log;
    this.#stores = stores;
    this.#applicationId = applicationId;
    this.#topics = topics;
    this.#buffers = new OutputBuffers((name) => {
      const { config, partitions } = topics.get(name) as TopicDescription;
      return { partitions, maxMessageBytes: config.maxMessageBytes, compression: 'lz4' };
    });
  }

  /**
   * Updates stores to the end of their changelogs, one call after the other. Rejects with the error of the log; the
   * stores then stay usable.
   */
  restore(tasks: readonly RestoredTask[], progress: (progress: RestoreProgress) => void): Promise<void> {
    const restored = this.#restoring.then(() => this.#restore(tasks, progress));
    this.#restoring = restored.catch(() => undefined);
    return restored;
  }

  /** Stops touching the stores, because another process may be using them. A restore in progress stays incomplete. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async #restore(tasks: readonly RestoredTask[], progress: (progress: RestoreProgress) => void): Promise<void> {
    const fetcher = this.#log.fetcher({ onReady: () => this.#wake?.() });
    try {
      for (const { committed, stores } of tasks) {
        const replays: ChangelogReplay[] = [];
        for (const id of stores) replays.push(await this.#read(id, fetcher, progress));
        if (this.#closed) return;
        // The stores of a task tell together which of its commits are complete.
        const complete = replays.map((each) =>
          each.isComplete(replays, statePositions(this.#stores, each.id), committed),
        );
        const latest = Math.max(UNSAID, ...replays.map((each) => each.latest));
        const writer = new TaskWriter(latest, ![...committed.values()].some((each) => storesOf(each) !== undefined));
        for (const [at, replay] of replays.entries()) this.#finish(replay, complete[at] === true, writer);
      }
    } finally {
      await fetcher.close();
    }
  }

  /** Reads a changelog to its end; what may be part of an incomplete commit is not in the local store yet. */
  async #read(id: StoreId, fetcher: Fetcher, progress: (progress: RestoreProgress) => void): Promise<ChangelogReplay> {
    const topic = changelogTopic(this.#applicationId, id.store);
    const { partition, store } = id;
    const first = (await this.#log.offsets(topic, 'earliest', [partition])).get(partition) ?? 0;
    // Use the end of what is written, not of what can be read: the offsets of a transaction may become visible before
    // its changes, and the store would lack them. The restore waits for open transactions.
    const end = (await this.#log.offsets(topic, 'written', [partition])).get(partition) ?? 0;
    const start = this.#startAt(id, first, end);
    const from = start.offset;
    const replay = new ChangelogReplay(id, start);
    fetcher.assign(topic, partition, from);
    // Report before anything is read: an open transaction may hold the first record back.
    if (from < end) progress({ store, partition, restored: 0, total: end - from });
    for (let position = from; position < end; ) {
      if (this.#closed) return replay;
      // The promise is made before polling, so that no wake-up is missed in between.
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const batch = fetcher.poll(topic, partition);
      if (batch === undefined) {
        await woken;
        continue;
      }
      position = batch.nextOffset;
      const writes = replay.take(batch);
      if (replay.latest > start.mine.latest) this.#since.delete(keyOf(id));
      this.#stores.apply([...writes, this.#position(id, replay.certain)]);
      progress({ store, partition, restored: position - from, total: end - from });
    }
    this.#positions.set(keyOf(id), Math.max(from, end));
    fetcher.unassign(topic, partition);
    return replay;
  }

  #finish(replay: ChangelogReplay, isComplete: boolean, writer: TaskWriter): void {
    const { id } = replay;
    const writes = replay.finish(isComplete);
    this.#stores.apply([...writes, this.#position(id, replay.certain)]);
    this.#since.delete(keyOf(id));
    this.#writers.set(keyOf(id), writer);
    this.#commits.restored(replay);
    if (replay.void.size > 0) this.#again.set(keyOf(id), [...replay.void.values()]);
    this.#tell(replay);
  }

  /** Logs that records of a changelog do not count. */
  #tell({ id: { partition, store }, latest, outdated, undone, void: { size } }: ChangelogReplay): void {
    const about = {
      applicationId: this.#applicationId,
      topic: changelogTopic(this.#applicationId, store),
      partition,
      store,
    };
    if (undone > 0) {
      this.#logger.info(
        { ...about, changes: undone },
        `the last commit has not reached all changelogs: ${counted(undone, 'change')} of store ${store} in it are undone, and its ` +
          'records are processed again',
      );
    }
    if (outdated.size === 0 || size === 0) return;
    this.#logger.warn(
      { ...about, keys: size },
      `the changelog of store ${store} holds late changes of ${counted(size, 'key')} by a process that had lost the task ` +
        `(generation ${[...outdated].join(', ')} after ${generationOf(latest)}): they do not count, and the values that hold are written again`,
    );
  }

  /**
   * Where the local store continues. It starts empty from the beginning if its position is not part of this changelog,
   * or if it is so old that the changelog may have lost tombstones since.
   */
  #startAt(id: StoreId, first: number, end: number): ReplayStart {
    const stored = this.#open(id).get(storeKey(id.store));
    this.#since.delete(keyOf(id));
    if (stored !== undefined && (stored.length === POSITION_BYTES || POSITION_BYTES_BEFORE.includes(stored.length))) {
      const position = readNumber(stored, 0);
      const age = this.#now() - readNumber(stored, NUMBER_BYTES);
      if (position >= first && position <= end && (position === end || age <= this.#maxAge(id))) {
        const told = (at: number, otherwise: ChangelogWriter): ChangelogWriter =>
          stored.length > at * NUMBER_BYTES ? readNumber(stored, at * NUMBER_BYTES) : otherwise;
        const latest = told(2, UNSAID);
        const since = told(3, latest);
        this.#since.set(keyOf(id), since);
        const commit = told(4, 0) - 1;
        return { offset: position, latest, mine: { since, latest }, commit: commit < 0 ? undefined : commit };
      }
    }
    this.#clear(this.#stores.open(id));
    this.#stores.apply(ASIDE.map(([store]) => ({ id: { ...id, store }, keys: [storeKey(id.store)], values: [null] })));
    const mine = { since: Number.POSITIVE_INFINITY, latest: UNSAID };
    return { offset: first, latest: UNSAID, mine, commit: undefined };
  }

  /** The maximum age at which a store can be updated, in ms: its changelog may have lost older tombstones. */
  #maxAge({ store }: StoreId): number {
    const config = this.#topics.get(changelogTopic(this.#applicationId, store))?.config;
    return MAX_AGE * (config?.tombstoneMs ?? TOMBSTONE_MS);
  }

  #clear(store: ByteStore): void {
    const keys = Array.from(store.range(), ([key]) => key);
    if (keys.length > 0) this.#stores.apply([{ id: store.id, keys, values: keys.map(() => null) }]);
  }

  /**
   * The batches that write the changes of a commit to the changelogs.
   *
   * @param generation - The generation in which the work was done.
   * @throws UnwritableState for an entry that a changelog cannot store
   */
  batches(state: readonly StoreWrites[], generation: number): OutgoingBatch[] {
    this.#stores.check(state);
    for (const { id, keys, values } of state) {
      const aside = ASIDE.find(([store]) => store === id.store);
      if (aside === undefined) {
        this.#writeAgain(id, generation);
        this.#append(id, keys, values, generation);
        continue;
      }
      const stores = keys.map((key) => TEXT.decode(key));
      const headers = id.store === INPUTS_STORE ? this.#commits.next(id, stores) : () => BEGINNING;
      // Each goes to the changelog of its store, so that a rebuild has it too.
      stores.forEach((store, at) => {
        const about = { ...id, store };
        this.#writeAgain(about, generation);
        this.#append(about, [aside[1]], [values[at] ?? null], generation, headers(about));
      });
    }
    return this.#buffers.take();
  }

  /** Only in a commit of the task that owns the store: the task may have moved to another process since the restore. */
  #writeAgain(id: StoreId, generation: number): void {
    const keys = this.#again.get(keyOf(id));
    if (keys === undefined) return;
    this.#again.delete(keyOf(id));
    const store = this.#stores.open(id);
    const values = keys.map((key) => store.get(key) ?? null);
    this.#append(id, keys, values, generation);
  }

  #append(
    id: StoreId,
    keys: StoreWrites['keys'],
    values: StoreWrites['values'],
    generation: number,
    headers: Headers = NO_HEADERS,
  ): void {
    if (keys.length === 0) return;
    const { partition, store } = id;
    const output = this.#buffers.topic(changelogTopic(this.#applicationId, store));
    if (partition >= output.partitions) throw notPartitioned(id, output.partitions);
    const writer = this.#writerOf(id).in(generation);
    if (!this.#since.has(keyOf(id))) this.#since.set(keyOf(id), writer);
    try {
      for (let at = 0; at < keys.length; at += 1) {
        output.append(partition, writer, keys[at] as Uint8Array, values[at] ?? null, headers);
      }
    } catch (error) {
      throw unwritable(store, error);
    }
  }

  #writerOf(id: StoreId): TaskWriter {
    let writer = this.#writers.get(keyOf(id));
    if (writer === undefined) this.#writers.set(keyOf(id), (writer = new TaskWriter(UNSAID, false)));
    return writer;
  }

  /**
   * Checks whether the changelog of a store can take an entry. @throws RecordError `ERR_RECORD_TOO_LARGE` if it cannot.
   */
  check(store: string, key: Uint8Array, value: Uint8Array): void {
    this.#buffers.check(changelogTopic(this.#applicationId, store), key, value);
  }

  /** The commit is acknowledged: the local stores follow. */
  committed(state: readonly StoreWrites[]): void {
    const moved = new Map<string, StoreId>();
    for (const { id, keys } of state) {
      if (id.store === INPUTS_STORE)
        this.#commits.completed(
          id,
          keys.map((key) => TEXT.decode(key)),
        );
    }
    const move = (id: StoreId, records: number): void => {
      const key = keyOf(id);
      this.#positions.set(key, (this.#positions.get(key) ?? 0) + records);
      moved.set(key, id);
    };
    for (const { id, keys } of state) {
      if (isAside(id)) for (const key of keys) move({ ...id, store: TEXT.decode(key) }, 1);
      else move(id, keys.length);
    }
    const positions = Array.from(moved, ([key, id]) => {
      const latest = this.#writers.get(key)?.latest ?? UNSAID;
      const offset = this.#positions.get(key) as number;
      return this.#position(id, { offset, latest, commit: this.#commits.complete(id) });
    });
    this.#stores.apply([...state, ...positions]);
  }

  #open(id: StoreId): ByteStore {
    return this.#stores.open({ ...id, store: POSITIONS });
  }

  #position(id: StoreId, { commit, latest, offset }: Mark): StoreWrites {
    const value = new Uint8Array(POSITION_BYTES);
    writeNumber(value, 0, offset);
    writeNumber(value, NUMBER_BYTES, this.#now());
    writeNumber(value, 2 * NUMBER_BYTES, latest);
    writeNumber(value, 3 * NUMBER_BYTES, this.#since.get(keyOf(id)) ?? latest);
    writeNumber(value, 4 * NUMBER_BYTES, commit === undefined ? 0 : commit + 1);
    return { id: { ...id, store: POSITIONS }, keys: [storeKey(id.store)], values: [value] };
  }
}

function keyOf({ partition, store }: StoreId): string {
  return `${store}/${partition}`;
}

function notPartitioned({ partition, store }: StoreId, partitions: number): StoreError {
  return new StoreError(
    'ERR_CHANGELOG_PARTITIONS',
    `the changelog of store ${store} has ${counted(partitions, 'partition')}`,
    {
      partition,
      hint:
        'it needs as many as the topics of its stage: run under a new applicationId; or delete it, so that it is created ' +
        'again and empty, and set the offsets from which it is to be filled',
    },
  );
}
