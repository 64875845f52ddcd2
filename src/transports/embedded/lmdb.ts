import type * as Lmdb from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';
import { ConfigError } from '../../errors.ts';

/** The databases of a log, all in one file and so in one transaction. */
export interface Databases {
  readonly root: RootDatabase<Uint8Array, Uint8Array>;
  /** Topics, partitions, group offsets, owners, ids. Sealed values. */
  readonly meta: Database<Uint8Array, Uint8Array>;
  /** The contents of batches, so that seeking, retention and time queries need not read records. Sealed values. */
  readonly index: Database<Uint8Array, Uint8Array>;
  /** Record batches in Kafka's format, which carry a checksum of their own. */
  readonly log: Database<Uint8Array, Uint8Array>;
  /** Entries of stores. Sealed values. */
  readonly state: Database<Uint8Array, Uint8Array>;
}

/** Members that exist but are missing in the types. */
interface Hidden {
  /** Flushes what is committed, off the main thread. */
  sync(callback: (error?: Error) => void): void;
  readonly env: {
    /** Zero once it is closed. */
    address: number;
    close(): void;
    info(): { readonly lastTxnId: number };
    startWriting(address: number, told: (status: number) => unknown): void;
    resumeWriting(): void;
  };
  readerList(): string;
}

const hidden = (root: Databases['root']): Hidden => root as unknown as Hidden;

export interface OpenFile {
  /** Without flushes, and so without any order on the disk. */
  readonly noSync?: boolean;
  /** For reading only. */
  readonly readOnly?: boolean;
}

/** The package, or its stand-in for a simulated disk. */
export type Opener = Pick<typeof Lmdb, 'open'>;

export const DATA_FILE = 'log.mdb';
const BINARY = { keyEncoding: 'binary', encoding: 'binary' } as const;

/**
 * A commit is on disk when its promise resolves, unless `noSync` is set. LMDB can also let others commit while a commit
 * is being flushed. That is turned off: if the holder of the flush lock is killed, the lock is mistaken for the write
 * lock, which breaks the environment of every other process. Turning it off costs nothing, because the promise of a
 * commit resolves after its flush either way.
 *
 * @param lmdb - Opens the file (default: the package).
 */
export async function openDatabases(file: string, options: OpenFile = {}, lmdb?: Opener): Promise<Databases> {
  return openWith(lmdb ?? (await loadLmdb()), file, { ...options, overlappingSync: false });
}

/**
 * Brings a file of an older version, which flushed after its commits, to a state that is completely on disk: if the
 * machine went down before a flush, LMDB goes back to the previous state.
 */
export async function settle(file: string): Promise<void> {
  const db = openWith(await loadLmdb(), file, { overlappingSync: true });
  await flushToDisk(db);
  await db.root.close();
}

/** Reopens the same file in place if LMDB cannot continue with it. */
export async function reopenDatabases(db: Databases, file: string, options: OpenFile): Promise<void> {
  closeAtOnce(db);
  Object.assign(db, await openDatabases(file, options));
}

/** Closes without waiting for transactions: one that could not start never ends. */
export function closeAtOnce({ root }: Databases): void {
  const { env } = hidden(root);
  void root.close().catch(() => undefined);
  if (env.address === 0) return;
  env.address = 0;
  env.close();
}

/** Pids of the processes that have the file open and have read from it, including this one. */
export function readerPids({ root }: Databases): number[] {
  const lines = hidden(root).readerList().split('\n').slice(1);
  return [...new Set(lines.map((line) => Number.parseInt(line, 10)))].filter((pid) => pid > 0);
}

/** The number of the last transaction according to the file header. */
export function lastTransactionOf({ root }: Databases): number {
  return hidden(root).env.info().lastTxnId;
}

/**
 * Detects transactions that could not start: LMDB leaves their promises pending and its write lock locked, and would
 * wait for that lock when closed.
 */
export function onFailedBegin({ root }: Databases, failed: (status: number) => boolean): void {
  const { env } = hidden(root);
  const start = env.startWriting.bind(env);
  const watched: typeof start = (address, told) =>
    start(address, (status) => {
      if (NEWS.has(status) || !failed(status)) return told(status);
      env.resumeWriting();
      return undefined;
    });
  Object.defineProperty(env, 'startWriting', { value: watched });
}

/** Status values of LMDB's writer that are not errors: committed, visible, ready for the callback. */
const NEWS: ReadonlySet<number> = new Set([0, 1, 2]);

function openWith(lmdb: Opener, file: string, options: OpenFile & { readonly overlappingSync: boolean }): Databases {
  const root = lmdb.open<Uint8Array, Uint8Array>(file, {
    ...BINARY,
    maxDbs: 8,
    maxReaders: 512,
    noSync: options.noSync === true,
    readOnly: options.readOnly === true,
    overlappingSync: options.overlappingSync,
    // Turns off a marker per transaction whose promise nobody could catch if a commit fails.
    eventTurnBatching: false,
    // The permissions of the folder decide who has access; the files exclude others too.
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

/** Loads the package before taking the open lock, so that others wait no longer than necessary. */
export async function loadLmdb(): Promise<typeof Lmdb> {
  try {
    return await import('lmdb');
  } catch (cause) {
    throw new ConfigError('ERR_LMDB_UNAVAILABLE', 'The embedded log needs the package lmdb, which cannot be loaded', {
      cause,
      hint:
        'install it for this platform; in a bundle, mark it as external (esbuild: --external:lmdb); ' +
        'or use memoryTransport()',
    });
  }
}

/** Resolves when everything committed is on disk. */
export function flushToDisk({ root }: Databases): Promise<void> {
  return new Promise((resolve, reject) => {
    hidden(root).sync((error) => (error ? reject(error) : resolve()));
  });
}
