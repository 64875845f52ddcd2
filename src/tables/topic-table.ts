import type { Subscriber } from 'rxjs';
import { KeptRows } from '../dataflow/kept-rows.ts';
import type { NodePlace, TopicUse } from '../dataflow/node.ts';
import { type Outlet, portStream } from '../dataflow/port.ts';
import { Step } from '../dataflow/step.ts';
import { Stream } from '../dataflow/stream.ts';
import type { Rows } from '../dataflow/table-source.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
import { ConfigError, RecordError } from '../errors.ts';
import { openExpiry, ttlOf, ttlStores } from '../operators/row-expiry.ts';
import type { Duration } from '../options/duration.ts';
import type { TimestampOf } from '../options/timestamps.ts';
import { type Change, makeChange, makeVersion, type StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { serdeCodec } from '../state/value-codec.ts';
import type { Versions } from '../state/versions.ts';
import { type TopicOptions, topicUse } from '../streams/topic.ts';
import { Table } from './table.ts';
import { historyOf, VersionedRows } from './version-stores.ts';

/**
 * Compaction spares records for this long, so that streams can be joined with them later, for example after an
 * application was stopped.
 */
const DAY_MS = 24 * 60 * 60 * 1000;

/** How to read the records of a table's topic. @public */
export interface TableOptions<K, V> extends Omit<TopicOptions<K, V>, 'timestamp'> {
  readonly key: Serde<K>;
  /**
   * As in {@link TopicOptions}. For a deletion the value is null and has no time: `(row, { timestamp }) => row?.at ??
   * timestamp`.
   */
  readonly timestamp?: TimestampOf<K, V | null>;
  /** Name of the store that keeps the table (default: the topic's name). */
  readonly store?: string;
  /**
   * How far back to keep the versions of rows, in event time. The newest row is then the one with the highest
   * timestamp, and the row that a key had at a given time can be looked up.
   */
  readonly history?: Duration;
  /** How long a row lives after its last record, in event time (default: for ever). Excludes `history`. */
  readonly ttl?: Duration;
}

/** The table of a topic. @public */
export class TopicTable<K, V> extends Table<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;

  /** @internal */
  constructor(name: string, options: TableOptions<K, V>) {
    const described = topicUse('table', name, options as TopicOptions<K, V>, { store: true, history: true, ttl: true });
    const historyMs = historyOf(`table ${name}`, options.history);
    const ttlMs = tableTtl(`table ${name}`, options);
    const minCompactionLagMs = Math.max(DAY_MS, historyMs ?? 0);
    const use: TopicUse = {
      ...described,
      config: { cleanup: 'compact', minCompactionLagMs, ...options.config },
    };
    const rows = new TopicRows<K, V>(use, options, historyMs, ttlMs);
    const { changes, node, writes } = rows;
    super({
      name,
      changes,
      historyMs,
      keySerde: options.key,
      rowSerde: options.value,
      updates: node,
      writes,
      rowsIn: (task) => rows.in(task),
    });
    this.key = options.key;
    this.value = options.value;
    this.use = use;
  }
}

/** @throws ConfigError `ERR_DURATION`, `ERR_OPTION` */
export function tableTtl(
  where: string,
  { history, ttl }: { readonly history?: Duration; readonly ttl?: Duration },
): number | undefined {
  const ttlMs = ttlOf(where, ttl);
  if (ttlMs === undefined || history === undefined) return ttlMs;
  throw new ConfigError('ERR_OPTION', `${where} has both history and ttl`, {
    hint: 'a table with history keeps the newest row of each key for ever: leave out one of them',
  });
}

/** Where a table's step keeps its rows in one task. */
interface Kept<K, V> {
  readonly newest: KeyValueStore<K, NonNullable<V>>;
  readonly versions: Versions<K, NonNullable<V>> | undefined;
}

/** The step that reads a table's topic into its store. */
class TopicRows<K, V> {
  readonly node: Stream<never>;
  readonly changes: Stream<Change<K, V>>;
  /** Includes tombstones for rows that do not exist. */
  readonly writes: Stream<Change<K, V>>;
  readonly #use: TopicUse;
  readonly #store: string;
  readonly #options: TableOptions<K, V>;
  readonly #versioned: VersionedRows<K, NonNullable<V>> | undefined;
  readonly #ttlMs: number | undefined;
  readonly #kept = new WeakMap<TaskContext, Kept<K, V>>();
  readonly #expiring = new KeptRows<K, NonNullable<V>>();

  constructor(use: TopicUse, options: TableOptions<K, V>, historyMs: number | undefined, ttlMs: number | undefined) {
    this.#use = use;
    this.#options = options;
    this.#ttlMs = ttlMs;
    const { key, store: name = use.name } = options;
    this.#store = name;
    const value = serdeCodec(options.value, name);
    const fingerprint = `table(${use.name})`;
    this.#versioned =
      historyMs === undefined
        ? undefined
        : new VersionedRows(name, historyMs, key, value, `versions of ${fingerprint}`);
    this.node = new Stream<never>({
      kind: 'table',
      traits: { keepsTime: true, waits: ttlMs !== undefined },
      name: 'table',
      detail: use.name,
      topics: [use],
      stores: this.#versioned?.uses ?? [
        declareStore({ name, kind: 'keyValue', key, value, fingerprint }),
        ...ttlStores(name, ttlMs),
      ],
      discover() {},
      attach: (subscriber, task, place) => this.#attach(subscriber, task, place),
    });
    this.changes = portStream<Change<K, V>>(this.node, 'changes', use.name);
    this.writes = historyMs === undefined ? portStream<Change<K, V>>(this.node, 'writes', use.name) : this.changes;
  }

  in(task: TaskContext): Rows<K, NonNullable<V>> {
    if (this.#ttlMs !== undefined) return this.#expiring.in(task);
    const { newest, versions } = this.#open(task);
    return versions ?? newest;
  }

  #open(task: TaskContext): Kept<K, V> {
    let kept = this.#kept.get(task);
    if (kept === undefined) {
      kept = this.#versioned === undefined ? this.#plain(task) : this.#withHistory(task, this.#versioned);
      this.#kept.set(task, kept);
    }
    return kept;
  }

  #plain(task: TaskContext): Kept<K, V> {
    const codec = serdeCodec(this.#options.value, this.#store);
    const newest = new KeyValueStore(task.openStore(this.#store), this.#options.key, codec, task.cacheEntries);
    task.addState(newest);
    return { newest, versions: undefined };
  }

  #withHistory(task: TaskContext, versioned: VersionedRows<K, NonNullable<V>>): Kept<K, V> {
    const { newest, rows } = versioned.open(task, this.#options.key);
    return { newest, versions: rows };
  }

  #attach(subscriber: Subscriber<never>, task: TaskContext, place: NodePlace): void {
    const { step } = place;
    const { newest, versions } = this.#open(task);
    const outlets = task.outlets(this.node);
    const meter = task.meters.of(this.node);
    const drop = (reason: string): void => {
      meter.dropped += 1;
      task.dropped(reason, step);
    };
    const changes = outlets.get<Change<K, V>>('changes');
    const writes = outlets.get<Change<K, V>>('writes');
    const replace = (key: NonNullable<K>, value: V | null, record: StreamRecord<unknown, unknown>): void => {
      // Nobody needs the old row: overwrite it unread.
      const asked = changes.used || writes.used;
      const before = asked ? readable(() => newest.get(key), task, step) : null;
      newest.set(key, value === null ? undefined : value, record.timestamp);
      if (!asked) return;
      const change = makeChange<K, V>(key, value, before, record.timestamp, record);
      if (value !== null || before !== null) changes.next(change);
      writes.next(change);
    };
    const version = (key: NonNullable<K>, value: V | null, record: StreamRecord<unknown, unknown>): void => {
      const rows = versions as Versions<K, NonNullable<V>>;
      const { timestamp } = record;
      // The newest row becomes a version, unless it cannot be read.
      if (readable(() => newest.entry(key), task, step) === null) newest.set(key, undefined, -1);
      const before = changes.used ? readable(() => rows.at(key, timestamp), task, step) : null;
      const isNewest = rows.put(key, value as NonNullable<V> | null, timestamp);
      if (isNewest === undefined) drop('older than the history');
      else if (changes.used) changes.next(makeVersion<K, V>(key, value, before, timestamp, record, isNewest));
    };
    const ttlMs = this.#ttlMs;
    const take =
      ttlMs !== undefined
        ? this.#expire(new Step(this.node, subscriber, task, place, meter), ttlMs, newest, { changes, writes })
        : versions === undefined
          ? replace
          : version;
    task.consume(this.#use, {
      key: this.#use.key,
      value: this.#use.value,
      tombstones: true,
      table: true,
      complete() {
        subscriber.complete();
        outlets.complete();
      },
      deliver(record) {
        if (record.key === null) drop('null key');
        else take(record.key as NonNullable<K>, record.value as V | null, record);
      },
    });
  }

  /** Applies a record to a table whose rows have a time to live. */
  #expire(
    step: Step<never>,
    ttlMs: number,
    newest: KeyValueStore<K, NonNullable<V>>,
    { changes, writes }: Outs<K, V>,
  ): (key: NonNullable<K>, value: V | null, record: StreamRecord<unknown, unknown>) => void {
    const { name, place, task } = step;
    const { key } = this.#options;
    const [topic, bytes] = [this.#use.name, task.openStore(this.#store)];
    const store = { name: this.#store, ttlMs, rows: newest, bytes, key, topic };
    const { looked, rows } = openExpiry<K, NonNullable<V>, NonNullable<V>>(step, store, rowItself, (change) => {
      const of = change.key as NonNullable<K>;
      step.emitRow<Change<K, V>>(of, change, changes);
      step.emitRow<Change<K, V>>(of, change, writes);
    });
    this.#expiring.keep(task, looked);
    const { idle } = rows;
    task.addTimeFollower({ depth: place.depth, advance: () => rows.advance(), closeAll() {}, idle, holds: idle.due });
    return (of, value, record) => {
      const { timestamp } = record;
      rows.observe(timestamp);
      if (readable(() => newest.entry(of), task, name) === null) newest.set(of, undefined, -1);
      const entry = newest.entry(of);
      rows.endFor(entry, of);
      const before = entry.value ?? null;
      if (value === null) rows.delete(entry, of);
      else if (before === null && rows.isOver(timestamp)) {
        step.drop('older than the ttl');
        return;
      } else rows.put(entry, of, value as NonNullable<V>, timestamp);
      const change = makeChange<K, V>(of, value, before, timestamp, record);
      if (value !== null || before !== null) changes.next(change);
      writes.next(change);
    };
  }
}

function rowItself<V>(row: V): V {
  return row;
}

/** The outputs for the changes of a table. */
interface Outs<K, V> {
  readonly changes: Outlet<Change<K, V>>;
  readonly writes: Outlet<Change<K, V>>;
}

/**
 * Reads from a store. An entry that its schema no longer accepts is reported as a failure and then counts as unknown.
 */
function readable<T>(read: () => T | undefined, task: TaskContext, step: string): T | null {
  try {
    return read() ?? null;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    task.recordFailed(error, step);
    return null;
  }
}

/**
 * Makes a table from a topic: each record replaces the row of its key, a null value (tombstone) deletes it.
 *
 * ```text
 * users    --ada:{1}------bob:{2}----ada:{3}------------bob:null------------|
 * changes  --ada:{1}------bob:{2}----ada:{3} was {1}----bob:null was {2}----|
 * ```
 *
 * Records are applied in offset order, whatever their timestamps. A row equal to the previous one is still a change.
 * The table is kept in a store that is committed with its stage, so a restart continues with the committed rows. A
 * record without a key is dropped and counted.
 *
 * With `history` the table keeps versions: a record is the row of its key from its timestamp on. An out-of-order record
 * is an older version and does not change the newest row; a record with the timestamp of an existing version replaces
 * it, and a null value is a version too. Table time is the highest timestamp in the topic, over all keys. A version
 * that ended more than `history` before table time is removed, and a record older than that is dropped and counted; the
 * newest version of a key never expires. Versions are kept in two more stores, with the suffixes `-versions` and
 * `-expiry`. Every record is then a change; `newest` is `false` on changes to older versions.
 *
 * With `ttl` a row expires that long after its timestamp, which is the highest one of its records. What counts is
 * stream time: the highest timestamp of the topic and of the records that look rows up. An expired row is deleted: it
 * is no longer found, and a deletion with the time of its end is emitted. If a key has no row, a record whose row would
 * already have expired is dropped and counted.
 *
 * ```text
 * table('carts', { ttl: '1h', … })
 *
 * carts    --ada:{1}(0m)--ada:{2}(30m)----------bob:{3}(2h)------------------------------|
 * changes  --ada:{1}------ada:{2} was {1}-------ada:null was {2}(1h30m)--bob:{3}---------|
 * ```
 *
 * With `timestamp` a function takes the time from the row, as in a topic; for a deletion it gets null as value.
 *
 * @param name - The topic, usually compacted. With `history`, prefer a topic that is not compacted: a rebuilt table
 * would find only the newest rows.
 * @param options - Serdes; both are required.
 * @throws ConfigError `ERR_TOPIC_NAME`, `ERR_SERDE`, `ERR_OPTION`, `ERR_DURATION`.
 * @see `joinTable`, `filterRows`, `mapRows`, `toStream` for ways to use a table.
 *
 * @example
 * ```ts
 * import { json, mapValues, string, table, to, toStream, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const users = table('users', { key: string(), value: json<{ city: string }>() });
 * const moves = topic('moves', { key: string(), value: string() });
 * const driver = new TestDriver(
 *   users.pipe(
 *     toStream(),
 *     mapValues((user, { before }) => `${before?.city ?? 'nowhere'} to ${user?.city ?? 'nowhere'}`),
 *     to(moves),
 *   ),
 * );
 * driver.pipe(users, { key: 'ada', value: { city: 'London' } });
 * driver.pipe(users, { key: 'ada', value: { city: 'Paris' } });
 * driver.pipe(users, { key: 'ada', value: null });
 * console.log(driver.read(moves).map((move) => move.value).join(', '));
 * // => nowhere to London, London to Paris, Paris to nowhere
 * ```
 * @public
 */
export function table<V, K>(name: string, options: TableOptions<K, V>): TopicTable<K, V> {
  return new TopicTable(name, options);
}
