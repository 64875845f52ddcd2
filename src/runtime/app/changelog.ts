import { StoreError } from '../../errors.ts';
import { OutputBuffers } from '../../log/outputs.ts';
import type { FetchedBatch, Fetcher, OutgoingBatch, TaskLog, TopicDescription } from '../../log/transport.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import { unwritable } from '../../state/checked-stores.ts';
import { compareBytes } from '../../state/key-codec.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from '../../state/numbers.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { INPUTS_STORE } from '../task/state-positions.ts';

/** Store of the positions in their changelogs that the local stores have reached. Not a name that a user can give. */
const POSITIONS = '#positions';

/** A position in a changelog, and when it was reached in epoch milliseconds. */
const POSITION_BYTES = 2 * NUMBER_BYTES;

/**
 * A compacted topic keeps the record of a deletion for a day (`delete.retention.ms`), and then nothing of the key. A store
 * that is older might keep what was deleted: half of that leaves room for clocks that differ.
 */
const MAX_AGE_MS = 12 * 60 * 60 * 1000;

const TEXT = new TextDecoder();

/**
 * Keys of the records that say what wrote a store, and how far its inputs were read. Long and odd, because a store may have
 * any key: 0xff is not part of any text, and no window starts so late.
 */
const ODD = 0xff;
const FINGERPRINT_KEY: Uint8Array = oddKey('millrace store fingerprint');
const INPUTS_KEY: Uint8Array = oddKey('millrace store inputs');

/** What goes with every store of a task: the store that holds it on this machine, and its key in the changelog. */
const ASIDE: readonly (readonly [store: string, key: Uint8Array])[] = [
  [FINGERPRINT_STORE, FINGERPRINT_KEY],
  [INPUTS_STORE, INPUTS_KEY],
];

/** Progress of a restoration, in records. */
export interface RestoreProgress {
  readonly store: string;
  readonly partition: number;
  readonly restored: number;
  readonly total: number;
}

/** Name of the compacted topic that a store can be rebuilt from. */
export function changelogTopic(applicationId: string, store: string): string {
  return `${applicationId}-${store}-changelog`;
}

/**
 * Keeps local stores and their changelog topics together, on logs that do not hold the state themselves.
 *
 * Every change is written to the changelog within the commit that it belongs to, and to the local store when that commit
 * is acknowledged, together with the position in the changelog. So a local store is never ahead of its changelog: after a
 * crash it is brought forward from its position, not thrown away. The position kept is a lower bound (transaction markers
 * are not counted), which only means that a few changes are applied twice, in order.
 */
export class Changelog {
  readonly #log: TaskLog;
  readonly #stores: StoreBackend;
  readonly #applicationId: string;
  readonly #now: () => number;
  readonly #buffers: OutputBuffers;
  readonly #positions = new Map<string, number>();
  #restoring: Promise<unknown> = Promise.resolve();
  #closed = false;
  #wake: (() => void) | undefined;

  /**
   * @param topics - Descriptions of the changelog topics, which exist.
   * @param now - Wall-clock time, epoch milliseconds.
   */
  constructor(
    log: TaskLog,
    stores: StoreBackend,
    applicationId: string,
    topics: ReadonlyMap<string, TopicDescription>,
    now: () => number,
  ) {
    this.#now = now;
    this.#log = log;
    this.#stores = stores;
    this.#applicationId = applicationId;
    this.#buffers = new OutputBuffers((name) => {
      const { config, partitions } = topics.get(name) as TopicDescription;
      return { partitions, maxMessageBytes: config.maxMessageBytes, compression: 'lz4' };
    });
  }

  /**
   * Brings stores to the end of their changelogs, one call after the other. Rejects with what the log says; the stores
   * stay usable then.
   */
  restore(ids: readonly StoreId[], progress: (progress: RestoreProgress) => void): Promise<void> {
    const restored = this.#restoring.then(() => this.#restore(ids, progress));
    this.#restoring = restored.catch(() => undefined);
    return restored;
  }

  /** Leaves the stores alone from now on: somebody else may be at work on them. What is being restored stays incomplete. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async #restore(ids: readonly StoreId[], progress: (progress: RestoreProgress) => void): Promise<void> {
    const fetcher = this.#log.fetcher({ onReady: () => this.#wake?.() });
    try {
      for (const id of ids) await this.#restoreOne(id, fetcher, progress);
    } finally {
      await fetcher.close();
    }
  }

  async #restoreOne(id: StoreId, fetcher: Fetcher, progress: (progress: RestoreProgress) => void): Promise<void> {
    const topic = changelogTopic(this.#applicationId, id.store);
    const { partition, store } = id;
    const first = (await this.#log.offsets(topic, 'earliest', [partition])).get(partition) ?? 0;
    // Not the end of what can be read: offsets may be seen as committed before the changes of the same transaction are, and
    // then the store would lack them. What is still open is waited for.
    const end = (await this.#log.offsets(topic, 'written', [partition])).get(partition) ?? 0;
    const from = this.#startAt(id, first, end);
    fetcher.assign(topic, partition, from);
    // Told before anything is read: an open transaction may hold the first record back.
    if (from < end) progress({ store, partition, restored: 0, total: end - from });
    for (let position = from; position < end; ) {
      if (this.#closed) return;
      // The promise is made before polling, so that no wake-up is missed in between.
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const batch = fetcher.poll(topic, partition);
      if (batch === undefined) {
        await woken;
        continue;
      }
      position = batch.nextOffset;
      this.#stores.apply([...writesOf(id, batch), this.#position(id, position)]);
      progress({ store, partition, restored: position - from, total: end - from });
    }
    this.#positions.set(keyOf(id), Math.max(from, end));
    fetcher.unassign(topic, partition);
  }

  /**
   * Where the local store goes on; from the beginning, and empty, where its position is not part of this changelog, and
   * where it is so old that the changelog may have forgotten what was deleted since.
   */
  #startAt(id: StoreId, first: number, end: number): number {
    const stored = this.#open(id).get(positionKey(id));
    if (stored?.length === POSITION_BYTES) {
      const position = readNumber(stored, 0);
      const age = this.#now() - readNumber(stored, NUMBER_BYTES);
      if (position >= first && position <= end && (position === end || age <= MAX_AGE_MS)) return position;
    }
    this.#clear(this.#stores.open(id));
    this.#stores.apply(ASIDE.map(([store]) => ({ id: { ...id, store }, keys: [storeKey(id.store)], values: [null] })));
    return first;
  }

  #clear(store: ByteStore): void {
    const keys = Array.from(store.range(), ([key]) => key);
    if (keys.length > 0) this.#stores.apply([{ id: store.id, keys, values: keys.map(() => null) }]);
  }

  /**
   * The batches that say in the changelogs what a commit changes.
   *
   * @throws UnwritableState for an entry that a changelog does not take
   */
  batches(state: readonly StoreWrites[]): OutgoingBatch[] {
    this.#stores.check(state);
    for (const { id, keys, values } of state) {
      const aside = ASIDE.find(([store]) => store === id.store);
      if (aside !== undefined) {
        // Each goes with the store that it is about, so that whoever rebuilds the store has it too.
        keys.forEach((key, at) => this.#append(id, TEXT.decode(key), aside[1], values[at] ?? null));
      } else {
        keys.forEach((key, at) => this.#append(id, id.store, key, values[at] ?? null));
      }
    }
    return this.#buffers.take();
  }

  #append(id: StoreId, store: string, key: Uint8Array, value: Uint8Array | null): void {
    const output = this.#buffers.topic(changelogTopic(this.#applicationId, store));
    if (id.partition >= output.partitions) throw notPartitioned({ ...id, store }, output.partitions);
    try {
      // Timestamps of changelog records mean nothing; retention does not apply to compacted topics.
      output.append(id.partition, 0, key, value, []);
    } catch (error) {
      throw unwritable(store, error);
    }
  }

  /** Whether the changelog of a store takes an entry. @throws RecordError `ERR_RECORD_TOO_LARGE` when it does not. */
  check(store: string, key: Uint8Array, value: Uint8Array): void {
    this.#buffers.check(changelogTopic(this.#applicationId, store), key, value);
  }

  /** The commit is acknowledged: the local stores follow. */
  committed(state: readonly StoreWrites[]): void {
    const moved = new Map<string, StoreId>();
    const move = (id: StoreId, records: number): void => {
      const key = keyOf(id);
      this.#positions.set(key, (this.#positions.get(key) ?? 0) + records);
      moved.set(key, id);
    };
    for (const { id, keys } of state) {
      if (isAside(id)) for (const key of keys) move({ ...id, store: TEXT.decode(key) }, 1);
      else move(id, keys.length);
    }
    const positions = Array.from(moved, ([key, id]) => this.#position(id, this.#positions.get(key) as number));
    this.#stores.apply([...state, ...positions]);
  }

  #open(id: StoreId): ByteStore {
    return this.#stores.open({ ...id, store: POSITIONS });
  }

  #position(id: StoreId, position: number): StoreWrites {
    const value = new Uint8Array(POSITION_BYTES);
    writeNumber(value, 0, position);
    writeNumber(value, NUMBER_BYTES, this.#now());
    return { id: { ...id, store: POSITIONS }, keys: [positionKey(id)], values: [value] };
  }
}

function isAside({ store }: StoreId): boolean {
  return ASIDE.some(([aside]) => aside === store);
}

function oddKey(text: string): Uint8Array {
  return Uint8Array.of(ODD, 0xfe, ...new TextEncoder().encode(text), 0xff);
}

function asideOf(key: Uint8Array): (typeof ASIDE)[number] | undefined {
  return ASIDE.find(([, odd]) => compareBytes(key, odd) === 0);
}

function keyOf({ partition, store }: StoreId): string {
  return `${store}/${partition}`;
}

function positionKey({ store }: StoreId): Uint8Array {
  return storeKey(store);
}

function storeKey(store: string): Uint8Array {
  return new TextEncoder().encode(store);
}

/** What the records of a changelog say about its store, and about what wrote it. */
function writesOf(id: StoreId, batch: FetchedBatch): StoreWrites[] {
  const keys: Uint8Array[] = [];
  const values: (Uint8Array | null)[] = [];
  const writes: StoreWrites[] = [{ id, keys, values }];
  const { bytes, keyLength, keyStart, valueLength, valueStart } = batch;
  for (let at = 0; at < batch.count; at += 1) {
    const length = keyLength[at] as number;
    // A record without a key is not ours; a changelog is written by its application only.
    if (length < 0) continue;
    const keyAt = keyStart[at] as number;
    const key = bytes.slice(keyAt, keyAt + length);
    const valueAt = valueStart[at] as number;
    const size = valueLength[at] as number;
    const value = size < 0 ? null : bytes.slice(valueAt, valueAt + size);
    const aside = key[0] === ODD ? asideOf(key) : undefined;
    if (aside !== undefined) {
      writes.push({ id: { ...id, store: aside[0] }, keys: [storeKey(id.store)], values: [value] });
    } else {
      keys.push(key);
      values.push(value);
    }
  }
  return writes;
}

function notPartitioned({ partition, store }: StoreId, partitions: number): StoreError {
  return new StoreError('ERR_CHANGELOG_PARTITIONS', `the changelog of store ${store} has ${partitions} partitions`, {
    partition,
    hint:
      'it needs as many as the topics of its stage: run under a new applicationId; or delete it, so that it is created ' +
      'again and empty, and set the offsets from which it is to be filled',
  });
}
