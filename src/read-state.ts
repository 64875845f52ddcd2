import { ConfigError, FatalError, MillraceError } from './errors.ts';
import { LOG_LOCATION, type LogLocation, openLog } from './open-log.ts';
import { meant } from './options/nearest.ts';
import { checkNames, type OptionNames } from './options/option-checks.ts';
import { type Pipeline, plan } from './plan/topology.ts';
import type { RestoreProgress } from './runtime/app/changelog.ts';
import { SpecStoreView, type StoreView } from './runtime/app/store-view.ts';
import { unknownStore } from './runtime/app/unknown-store.ts';
import { FINGERPRINT_STORE } from './runtime/task/fingerprints.ts';
import { storedSpecs } from './runtime/task/stored-specs.ts';
import type { ReadableStores } from './state/byte-store.ts';
import type { Resolved, UnknownSpec } from './state/store-spec.ts';
import { merged, storesOfChangelogs } from './stores-to-read.ts';

/** Which application's state to read, and where it is. @public */
export interface ReadStateOptions extends Pick<LogLocation, 'path' | 'durability' | 'transport' | 'brokers' | 'kafka'> {
  readonly applicationId: string;
  /**
   * The folder in which processes of an application on Kafka keep their stores on this machine. No broker is contacted.
   */
  readonly stateDir?: string;
  /** On Kafka: rebuild only these stores (default: all). */
  readonly stores?: readonly string[];
  /** On Kafka: called with the progress of the rebuild from the changelogs, in records. */
  readonly onRestore?: (progress: RestoreProgress) => void;
  /** The pipeline that wrote the state. With it, keys and values are decoded. */
  readonly pipeline?: Pipeline;
}

/** A store as it is kept in the log. @public */
export interface StoredStore {
  readonly name: string;
  /** Partitions with at least one entry, ascending. */
  readonly partitions: readonly number[];
  /** What the step that wrote it does, such as `tumbling(1m) {clicks: count}`. */
  readonly writtenBy: string | undefined;
}

/** An entry as it is stored. @public */
export interface StoredBytes {
  readonly partition: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A damaged part of the state: what is stored there is not what was written. @public */
export interface StateDamage {
  /** `undefined` if the store that it belongs to is unknown. */
  readonly store: string | undefined;
  readonly partition: number | undefined;
  readonly reason: string;
}

/**
 * The state that an application has committed, whether or not it is running. Reading changes nothing and does not block
 * the application.
 *
 * @public
 */
export interface StoredState {
  readonly applicationId: string;
  /** Whether the application is running now. */
  readonly active: boolean;
  /** Stores with at least one entry, sorted by name. */
  stores(): readonly StoredStore[];
  /**
   * A store, decoded with the serdes of the pipeline.
   *
   * @throws ConfigError `ERR_UNKNOWN_STORE`; `ERR_OPTION` without a pipeline.
   */
  store<K = unknown, V = unknown>(name: string): StoreView<K, V>;
  /** All entries of a store, as they are stored. @throws StoreError `ERR_CORRUPT_LOG` at a damaged entry */
  bytes(name: string): IterableIterator<StoredBytes>;
  /** Reads all entries of all stores and reports the damaged ones. With a pipeline it also decodes them. */
  verify(): { readonly entries: number; readonly damage: readonly StateDamage[] };
  close(): Promise<void>;
}

const READ_STATE_OPTIONS: OptionNames<ReadStateOptions> = {
  path: LOG_LOCATION.path,
  durability: LOG_LOCATION.durability,
  transport: LOG_LOCATION.transport,
  brokers: LOG_LOCATION.brokers,
  kafka: LOG_LOCATION.kafka,
  stateDir: true,
  stores: true,
  onRestore: true,
  applicationId: true,
  pipeline: true,
};

/**
 * Opens the state of an application for reading, from outside it. On the embedded log the state is stored next to the
 * records. On Kafka its current contents are rebuilt in memory from the changelog topics, or read from the folder in
 * which a process keeps them (`stateDir`).
 *
 * @param options - The log, the application, and, to decode what is stored, the pipeline.
 * @throws StoreError `ERR_NO_LOG`, `ERR_CORRUPT_LOG`; FatalError `ERR_UNKNOWN_GROUP` if the application has never run
 * on this log.
 *
 * @example
 * ```ts
 * import { agg, aggregate, connect, json, MemoryLog, memoryTransport, readState, run, string, topic } from 'millrace';
 *
 * const log = new MemoryLog();
 * const sales = topic('sales', { key: string(), value: json<number>(), partitions: 1 });
 * const totals = sales.pipe(aggregate(agg.sum((price) => price), { store: 'totals' }));
 * const client = await connect({ transport: memoryTransport(log) });
 * await client.publish(sales, { key: 'north', value: 3 });
 * await run(totals, { applicationId: 'sums', transport: memoryTransport(log), until: 'end' }).done;
 *
 * const state = await readState({ transport: memoryTransport(log), applicationId: 'sums', pipeline: totals });
 * console.log(state.store('totals').get('north')?.value); // => 3
 * await state.close();
 * await client.close();
 * ```
 * @public
 */
export async function readState(options: ReadStateOptions): Promise<StoredState> {
  checkNames('readState', options, READ_STATE_OPTIONS);
  const { applicationId, pipeline } = options;
  const topology = pipeline === undefined ? undefined : plan(pipeline, applicationId);
  const specs = topology === undefined ? undefined : storedSpecs(topology);
  const missing = (name: string): ConfigError =>
    topology === undefined
      ? new ConfigError('ERR_OPTION', `store ${name} cannot be decoded without its pipeline`, {
          hint: 'give the pipeline that wrote it',
        })
      : unknownStore(name, topology);
  const { active, close, stores } = await (options.stateDir === undefined ? ofLog(options) : ofFolder(options));
  return new OpenState(applicationId, active, stores, { specs, missing, close });
}

/** Where state is read. */
interface Opened {
  readonly active: boolean;
  readonly stores: ReadableStores;
  close(): Promise<void>;
}

async function ofFolder({ applicationId, brokers, path, stateDir, transport }: ReadStateOptions): Promise<Opened> {
  const other = Object.entries({ brokers, path, transport }).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) {
    throw new ConfigError('ERR_OPTION', `stateDir is given together with ${other}`, {
      hint: 'state is read from the folder, or from the log: leave one of them out',
    });
  }
  const { readLocalStores } = await import('./transports/embedded/read-local-stores.ts');
  const reader = await readLocalStores(stateDir as string, applicationId);
  // `active` is always false here: the folders do not say which process uses them.
  return { active: false, stores: merged(reader.folders), close: () => reader.close() };
}

async function ofLog(options: ReadStateOptions): Promise<Opened> {
  const { applicationId, brokers, kafka, onRestore = () => undefined, path, stores: names, transport } = options;
  const location = given({ brokers, durability: options.durability, kafka, path, transport });
  const isFolder = brokers === undefined && transport === undefined;
  const log = await openLog({ ...location, ...(isFolder ? { create: false } : {}) })();
  try {
    const group = await log.describeGroup(applicationId);
    const wanted = { applicationId, names, offsets: group?.offsets ?? [], progress: onRestore };
    const stores = log.state?.(applicationId) ?? (await storesOfChangelogs(log, wanted));
    if (group === undefined && stores.list().length === 0) {
      const others = (await log.groups()).filter((name) => name !== applicationId);
      throw new FatalError(
        'ERR_UNKNOWN_GROUP',
        `application ${applicationId} has neither offsets nor state on this log`,
        {
          hint:
            others.length === 0
              ? 'no application has: is this the right folder or cluster?'
              : meant(applicationId, others),
        },
      );
    }
    return { active: group?.active ?? false, stores, close: () => log.close() };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** The options without those that are undefined. */
function given<T extends object>(options: { readonly [N in keyof T]: T[N] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

interface Around {
  readonly specs: ReadonlyMap<string, Resolved<UnknownSpec>> | undefined;
  readonly missing: (store: string) => ConfigError;
  readonly close: () => Promise<void>;
}

/** Whether a store belongs to the runtime. */
const isInternal = (store: string): boolean => store.startsWith('#');

class OpenState implements StoredState {
  readonly applicationId: string;
  readonly active: boolean;
  readonly close: () => Promise<void>;
  readonly #stores: ReadableStores;
  readonly #around: Around;

  constructor(applicationId: string, active: boolean, stores: ReadableStores, around: Around) {
    this.applicationId = applicationId;
    this.active = active;
    this.close = around.close;
    this.#stores = stores;
    this.#around = around;
  }

  stores(): readonly StoredStore[] {
    const partitions = new Map<string, number[]>();
    for (const { partition, store } of this.#stores.list()) {
      if (isInternal(store)) continue;
      partitions.set(store, [...(partitions.get(store) ?? []), partition]);
    }
    return [...partitions]
      .map(([name, numbers]) => ({
        name,
        partitions: numbers.sort((left, right) => left - right),
        writtenBy: this.#writtenBy(name, numbers),
      }))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  store<K = unknown, V = unknown>(name: string): StoreView<K, V> {
    const spec = this.#around.specs?.get(name);
    if (spec === undefined) throw this.#around.missing(name);
    return new SpecStoreView<K, V>(spec, () => {
      const partitions = this.#stores.list().filter(({ store }) => store === name);
      // A partition that is not listed has no entries.
      return { here: new Map(partitions.map((id) => [id.partition, this.#stores.open(id)])), count: partitions.length };
    });
  }

  *bytes(name: string): IterableIterator<StoredBytes> {
    for (const id of this.#stores.list().filter(({ store }) => store === name)) {
      for (const [key, value] of this.#stores.open(id).range()) yield { partition: id.partition, key, value };
    }
  }

  verify(): { readonly entries: number; readonly damage: readonly StateDamage[] } {
    const damage: StateDamage[] = [];
    let entries = 0;
    const attempt = (store: string, partition: number | undefined, read: () => void): void => {
      try {
        read();
      } catch (error) {
        damage.push({ store, partition, reason: error instanceof MillraceError ? error.message : String(error) });
      }
    };
    for (const id of this.#stores.list()) {
      const bytes = this.#stores.open(id);
      attempt(id.store, id.partition, () => {
        for (const key of bytes.keys()) {
          // What the runtime keeps is checked, too, but a store that nobody knows is not counted.
          if (!isInternal(id.store)) entries += 1;
          // Read each key separately, so that a damaged entry does not hide those after it.
          attempt(id.store, id.partition, () => void bytes.get(key));
        }
      });
    }
    const found = new Set(damage.map(({ store }) => store));
    for (const { name } of this.#around.specs === undefined ? [] : this.stores()) {
      // A store that fails its checksums cannot be decoded either.
      if (found.has(name) || this.#around.specs?.has(name) !== true) continue;
      attempt(name, undefined, () => {
        for (const _ of this.store(name).entries());
      });
    }
    return { entries, damage };
  }

  #writtenBy(store: string, partitions: readonly number[]): string | undefined {
    for (const partition of partitions) {
      const id = { applicationId: this.applicationId, store: FINGERPRINT_STORE, partition };
      const bytes = this.#stores.open(id).get(new TextEncoder().encode(store));
      if (bytes !== undefined) return new TextDecoder().decode(bytes);
    }
    return undefined;
  }
}
