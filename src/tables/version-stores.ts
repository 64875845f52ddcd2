import type { StoreUse } from '../dataflow/node.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
import type { TaskTime } from '../dataflow/task-time.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import type { Serde } from '../serdes/serde.ts';
import { DueStore } from '../state/due-store.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { TimedStore } from '../state/timed-store.ts';
import { msgpackCodec, type ValueCodec } from '../state/value-codec.ts';
import { type Version, versionCodec } from '../state/version-codec.ts';
import { Versions } from '../state/versions.ts';

/** The stores of a table with history: declared and opened by the step that owns them. */
export class VersionedRows<K, V> {
  readonly name: string;
  readonly uses: readonly StoreUse[];
  readonly #historyMs: number;
  readonly #rows: ValueCodec<V>;
  readonly #versions: ValueCodec<Version<V>>;
  readonly #marks: ValueCodec<number>;

  /** @param fingerprint - Identifies the meaning of its rows. */
  constructor(name: string, historyMs: number, key: Serde<K> | 'upstream', rows: ValueCodec<V>, fingerprint: string) {
    this.name = name;
    this.#historyMs = historyMs;
    this.#rows = rows;
    const [versions, expiry] = [`${name}-versions`, `${name}-expiry`];
    this.#versions = versionCodec(rows, versions);
    this.#marks = msgpackCodec<number>(expiry);
    this.uses = [
      declareStore({ name, kind: 'keyValue', key, value: rows, fingerprint }),
      declareStore({
        name: versions,
        kind: 'timed',
        key,
        value: this.#versions,
        fingerprint,
        present: ({ row }) => row,
        retentionMs: historyMs,
      }),
      declareStore({ name: expiry, kind: 'due', key, value: this.#marks, fingerprint }),
    ];
  }

  open(
    task: TaskContext,
    key: Serde<K>,
    time: TaskTime = task.time,
  ): { readonly rows: Versions<K, V>; readonly newest: KeyValueStore<K, V> } {
    const { cacheEntries } = task;
    const bytes = this.uses.map(({ name }) => task.openStore(name)) as [Bytes, Bytes, Bytes];
    const newest = new KeyValueStore(bytes[0], key, this.#rows, cacheEntries);
    const older = new TimedStore(bytes[1], key, this.#versions, cacheEntries, ({ row }) => row);
    const expiry = new DueStore(bytes[2], key, this.#marks, cacheEntries);
    for (const holder of [newest, older, expiry]) task.addState(holder);
    return { newest, rows: new Versions({ newest, older, expiry }, older.keepTime(time), this.#historyMs) };
  }
}

type Bytes = ReturnType<TaskContext['openStore']>;

/** @throws ConfigError `ERR_DURATION`; `ERR_OPTION` for zero. */
export function historyOf(where: string, history: Duration | undefined): number | undefined {
  if (history === undefined) return undefined;
  const ms = durationMs(history, `${where}: history`);
  if (ms > 0) return ms;
  throw new ConfigError('ERR_OPTION', `${where}: history is ${formatMs(ms)}`, {
    hint: "say how far back to look up rows, such as history: '1h'; leave it out for a table of latest rows only",
  });
}
