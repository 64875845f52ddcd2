import type { Observable } from 'rxjs';
import type { Stream } from '../dataflow/stream.ts';
import type { Rows, TableSource } from '../dataflow/table-source.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
import type { Change } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/** The parts of a table. */
export interface TableParts<K, V> {
  readonly name: string;
  readonly changes: Stream<Change<K, V>>;
  /** See {@link Table.keySerde} (default: that of the topic above). */
  readonly keySerde?: Serde<K> | undefined;
  /** See {@link Table.rowSerde}. */
  readonly rowSerde?: Serde<V> | undefined;
  /** See {@link Table.writes} (default: its changes). */
  readonly writes?: Stream<Change<K, V>>;
  /** See {@link TableSource.historyMs}. */
  readonly historyMs?: number | undefined;
  /** See {@link TableSource.updates}. */
  readonly updates: Stream<unknown>;
  readonly rowsIn: (task: TaskContext) => Rows<K, V>;
}

/**
 * The newest row of each key, and the stream of their changes. A table is not a stream itself: operators such as
 * `joinTable` look rows up, and tables have verbs of their own.
 *
 * @see {@link table} to make one from a topic, `asTable` to make one from a stream.
 * @public
 */
export class Table<K, V> implements TableSource<K, V> {
  readonly name: string;
  /**
   * The changes of its rows, in order. A tombstone is emitted only for a row that existed; in a table with history
   * every write is a change.
   */
  readonly changes: Observable<Change<K, V>>;
  /** How far back rows can be looked up, in ms of event time; `undefined` if only the newest rows are kept. */
  readonly historyMs: number | undefined;
  /** @internal How its keys are written, if that is known before planning. */
  readonly keySerde: Serde<unknown> | undefined;
  /** @internal How its rows are written, if a serde was given. */
  readonly rowSerde: Serde<unknown> | undefined;
  /** @internal Its changes, and tombstones for rows that do not exist: joins recompute their row for these too. */
  readonly writes: Stream<Change<K, V>>;
  /** @internal */
  readonly updates: Stream<unknown>;
  /** @internal */
  readonly rowsIn: (task: TaskContext) => Rows<K, V>;

  /** @internal */
  constructor({ changes, historyMs, keySerde, name, rowSerde, rowsIn, updates, writes }: TableParts<K, V>) {
    this.name = name;
    this.changes = changes;
    this.historyMs = historyMs;
    this.keySerde = (keySerde as Serde<unknown> | undefined) ?? keysAbove(changes);
    this.rowSerde = rowSerde as Serde<unknown> | undefined;
    this.updates = updates;
    this.writes = writes ?? changes;
    this.rowsIn = rowsIn;
    tables.set(changes, this);
  }

  /** Applies verbs for tables in order: `users.pipe(filterRows(isActive), mapRows(nameOf), toStream())`. */
  pipe(): this;
  pipe<A>(verb1: (table: Table<K, V>) => A): A;
  pipe<A, B>(verb1: (table: Table<K, V>) => A, verb2: (made: A) => B): B;
  pipe<A, B, C>(verb1: (table: Table<K, V>) => A, verb2: (made: A) => B, verb3: (made: B) => C): C;
  pipe<A, B, C, D>(
    verb1: (table: Table<K, V>) => A,
    verb2: (made: A) => B,
    verb3: (made: B) => C,
    verb4: (made: C) => D,
  ): D;
  pipe<A, B, C, D, E>(
    verb1: (table: Table<K, V>) => A,
    verb2: (made: A) => B,
    verb3: (made: B) => C,
    verb4: (made: C) => D,
    verb5: (made: D) => E,
  ): E;
  pipe<A, B, C, D, E, F>(
    verb1: (table: Table<K, V>) => A,
    verb2: (made: A) => B,
    verb3: (made: B) => C,
    verb4: (made: C) => D,
    verb5: (made: D) => E,
    verb6: (made: E) => F,
  ): F;
  pipe(...verbs: readonly ((made: never) => unknown)[]): unknown {
    return verbs.reduce((made: unknown, verb) => verb(made as never), this);
  }
}

const tables = new WeakMap<Observable<unknown>, Table<unknown, unknown>>();

/** The table whose changes a stream consists of. */
export function tableOf<K, V>(changes: Observable<unknown>): Table<K, V> | undefined {
  return tables.get(changes) as Table<K, V> | undefined;
}

/** The serde of a stream's keys, found by following the first inputs of key-preserving steps upwards. */
function keysAbove(stream: Stream<unknown>): Serde<unknown> | undefined {
  const { inputs, kind, topics, traits } = stream.spec;
  if (kind === 'source' || kind === 'table') return topics?.[0]?.key;
  const above = inputs?.[0];
  return traits.changesKey === true || above === undefined ? undefined : keysAbove(above);
}
