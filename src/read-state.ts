import { ConfigError, FatalError, MillraceError } from './errors.ts';
import { LOG_LOCATION, type LogLocation, openLog } from './open-log.ts';
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

/** Whose state is read, and where it is. @public */
export interface ReadStateOptions extends Pick<LogLocation, 'path' | 'transport' | 'brokers' | 'kafka'> {
  readonly applicationId: string;
  /** The folder in which processes of an application on Kafka keep their stores on this machine; no broker is asked. */
  readonly stateDir?: string;
  /** On Kafka: only these stores are rebuilt. All unless given. */
  readonly stores?: readonly string[];
  /** On Kafka: hears how far the stores are rebuilt from their changelogs, in records. */
  readonly onRestore?: (progress: RestoreProgress) => void;
  /** The pipeline that wrote it: with it keys and values are decoded. */
  readonly pipeline?: Pipeline;
}

/** A store as it lies in the log. @public */
export interface StoredStore {
  readonly name: string;
  /** Partitions that hold something, ascending. */
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

/** A part of the state that is not what was written. @public */
export interface StateDamage {
  /** `undefined` where it is not known to which store it belongs. */
  readonly store: string | undefined;
  readonly partition: number | undefined;
  readonly reason: string;
}

/**
 * The state that an application has committed, whether it runs or not. Reading it changes nothing, and does not keep the
 * application from anything.
 *
 * @public
 */
export interface StoredState {
  readonly applicationId: string;
  /** Whether the application runs now. */
  readonly active: boolean;
  /** Stores that hold something, by their names. */
  stores(): readonly StoredStore[];
  /**
   * A store, decoded as the pipeline says.
   *
   * @throws ConfigError `ERR_UNKNOWN_STORE`; `ERR_OPTION` without a pipeline.
   */
  store<K = unknown, V = unknown>(name: string): StoreView<K, V>;
  /** All entries of a store, as they are stored. @throws StoreError `ERR_CORRUPT_LOG` at what is damaged */
  bytes(name: string): IterableIterator<StoredBytes>;
  /** Reads all entries of all stores, with a pipeline also what they mean, and tells which are not what was written. */
  verify(): { readonly entries: number; readonly damage: readonly StateDamage[] };
  close(): Promise<void>;
}

const READ_STATE_OPTIONS: OptionNames<ReadStateOptions> = {
  path: LOG_LOCATION.path,
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
 * Opens the state of an application for reading, from outside. On the embedded log it lies beside the records. On Kafka it is
 * rebuilt from the changelog topics, in memory, as it is now; or read from the folder that a process keeps it in (`stateDir`).
 *
 * @param options - The log, the application, and the pipeline if what is stored is to be decoded.
 * @throws StoreError `ERR_NO_LOG`, `ERR_CORRUPT_LOG`; FatalError `ERR_UNKNOWN_GROUP` for an application that has never run there.
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
  // Which process has a folder is not told here: reading keeps nobody from anything.
  return { active: false, stores: merged(reader.folders), close: () => reader.close() };
}

async function ofLog(options: ReadStateOptions): Promise<Opened> {
  const { applicationId, brokers, kafka, onRestore = () => undefined, path, stores: names, transport } = options;
  const location = { ...given({ brokers, kafka, transport }), ...given({ path }) };
  const log = await openLog(
    brokers === undefined && transport === undefined ? { path: path ?? '.millrace', create: false } : location,
  )();
  try {
    const group = await log.describeGroup(applicationId);
    const wanted = { applicationId, names, offsets: group?.offsets ?? [], progress: onRestore };
    const stores = log.state?.(applicationId) ?? (await storesOfChangelogs(log, wanted));
    if (group === undefined && stores.list().length === 0) {
      throw new FatalError('ERR_UNKNOWN_GROUP', `application ${applicationId} has not run on this log`, {
        hint: `there are ${(await log.groups()).join(', ') || 'none'}`,
      });
    }
    return { active: group?.active ?? false, stores, close: () => log.close() };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** Without what is not given. */
function given<T extends object>(options: { readonly [N in keyof T]: T[N] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

interface Around {
  readonly specs: ReadonlyMap<string, Resolved<UnknownSpec>> | undefined;
  readonly missing: (store: string) => ConfigError;
  readonly close: () => Promise<void>;
}

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
      // Those that begin like this are the runtime's own.
      if (store.startsWith('#')) continue;
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
      // What is not there is not stored.
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
          entries += 1;
          // Each for itself, so that what lies behind a damaged entry is looked at too.
          attempt(id.store, id.partition, () => void bytes.get(key));
        }
      });
    }
    const found = new Set(damage.map(({ store }) => store));
    for (const { name } of this.#around.specs === undefined ? [] : this.stores()) {
      // What does not match its checksum cannot be decoded either.
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
