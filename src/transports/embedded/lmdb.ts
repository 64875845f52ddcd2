import type * as Lmdb from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { ConfigError } from '../../errors.ts';

/** The databases of a log, all in one file and so in one transaction. */
export interface Databases {
  readonly root: RootDatabase<Uint8Array, Uint8Array>;
  /** Topics, partitions, group offsets, owners, ids. Sealed values. */
  readonly meta: Database<Uint8Array, Uint8Array>;
  /** What is in which batch, so that seeking, retention and times need not read records. Sealed values. */
  readonly index: Database<Uint8Array, Uint8Array>;
  /** Record batches in Kafka's format, which carry a checksum of their own. */
  readonly log: Database<Uint8Array, Uint8Array>;
  /** Entries of stores. Sealed values. */
  readonly state: Database<Uint8Array, Uint8Array>;
}

/** `RootDatabase.sync` exists and is not in the types: flushes what is committed, off the main thread. */
interface Syncs {
  sync(callback: (error?: Error) => void): void;
}

export const DATA_FILE = 'log.mdb';
const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

export async function openDatabases(file: string, options: { readonly noSync?: boolean } = {}): Promise<Databases> {
  const lmdb = await loadLmdb();
  const root = lmdb.open<Uint8Array, Uint8Array>(file, {
    ...BINARY,
    maxDbs: 8,
    maxReaders: 512,
    noSync: options.noSync === true,
    // Turns off a start marker per transaction whose promise nobody can catch when a commit fails.
    eventTurnBatching: false,
    // The folder decides who may come near; the files keep others out as well.
    permissionsMode: 0o640,
  } as Parameters<typeof lmdb.open>[0] & { path?: string });
  return {
    root,
    meta: root.openDB('meta', BINARY),
    index: root.openDB('index', BINARY),
    log: root.openDB('log', BINARY),
    state: root.openDB('state', BINARY),
  };
}

async function loadLmdb(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb');
  } catch (cause) {
    throw new ConfigError('ERR_LMDB_UNAVAILABLE', 'The embedded log needs the package lmdb, which cannot be loaded', {
      cause,
      hint:
        'install it for this platform; in a bundle leave it external (esbuild: --external:lmdb --external:lz4-napi); ' +
        'or use memoryTransport()',
    });
  }
}

/** Resolves when everything that is committed has reached the disk. */
export function flushToDisk({ root }: Databases): Promise<void> {
  return new Promise((resolve, reject) => {
    (root as typeof root & Syncs).sync((error) => (error ? reject(error) : resolve()));
  });
}
