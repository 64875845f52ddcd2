import type { Subscriber } from 'rxjs';
import type { TopicUse } from '../dataflow/node.ts';
import { portStream } from '../dataflow/port.ts';
import { Stream } from '../dataflow/stream.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
import { RecordError } from '../errors.ts';
import { type Change, makeChange } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { serdeCodec } from '../state/value-codec.ts';
import { type TopicOptions, topicUse } from '../streams/topic.ts';
import { Table } from './table.ts';

/** Rows stay this long for streams that are joined with them later, such as those of an application that rests. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** How the records of a table's topic are read. @public */
export interface TableOptions<K, V> extends TopicOptions<K, V> {
  readonly key: Serde<K>;
  /** Name of the store that keeps the table; the topic's name by default. */
  readonly store?: string;
}

/** The table of a topic. @public */
export class TopicTable<K, V> extends Table<K, V> {
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;

  /** @internal */
  constructor(name: string, options: TableOptions<K, V>) {
    const use: TopicUse = {
      ...topicUse('table', name, options, { store: true }),
      config: { cleanup: 'compact', minCompactionLagMs: DAY_MS, ...options.config },
    };
    const rows = new TopicRows<K, V>(use, options);
    super({ name, changes: rows.changes, updates: rows.node, rowsIn: (task) => rows.in(task) });
    this.key = options.key;
    this.value = options.value;
    this.use = use;
  }
}

/** The step that reads a table's topic into its store. */
class TopicRows<K, V> {
  readonly node: Stream<never>;
  readonly changes: Stream<Change<K, V>>;
  readonly #use: TopicUse;
  readonly #store: string;
  readonly #options: TableOptions<K, V>;
  readonly #stores = new WeakMap<TaskContext, KeyValueStore<K, NonNullable<V>>>();

  constructor(use: TopicUse, options: TableOptions<K, V>) {
    this.#use = use;
    this.#options = options;
    this.#store = options.store ?? use.name;
    this.node = new Stream<never>({
      kind: 'table',
      name: 'table',
      detail: use.name,
      topics: [use],
      stores: [
        declareStore({
          name: this.#store,
          kind: 'keyValue',
          key: options.key,
          value: serdeCodec(options.value, this.#store),
          fingerprint: `table(${use.name})`,
        }),
      ],
      discover() {},
      attach: (subscriber, task, place) => this.#attach(subscriber, task, place.step),
    });
    this.changes = portStream<Change<K, V>>(this.node, 'changes', use.name);
  }

  in(task: TaskContext): KeyValueStore<K, NonNullable<V>> {
    let store = this.#stores.get(task);
    if (store === undefined) {
      const codec = serdeCodec(this.#options.value, this.#store);
      store = new KeyValueStore(task.openStore(this.#store), this.#options.key, codec, task.cacheEntries);
      task.addState(store);
      this.#stores.set(task, store);
    }
    return store;
  }

  #attach(subscriber: Subscriber<never>, task: TaskContext, step: string): void {
    const store = this.in(task);
    const outlets = task.outlets(this.node);
    const changes = outlets.get<Change<K, V>>('changes');
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
        if (record.key === null) {
          task.dropped('null key', step);
          return;
        }
        const key = record.key as NonNullable<K>;
        const value = record.value as V | null;
        // Nobody asks what was there: it is written over unread.
        const before = changes.used ? rowBefore(store, key, task, step) : null;
        store.set(key, value === null ? undefined : value, record.timestamp);
        if (!changes.used || (value === null && before === null)) return;
        changes.next(makeChange<K, V>(key, value, before, record.timestamp, record));
      },
    });
  }
}

/** The row that a record replaces. One that its schema does not take any more is reported, and then not known. */
function rowBefore<K, V>(
  store: KeyValueStore<K, NonNullable<V>>,
  key: NonNullable<K>,
  task: TaskContext,
  step: string,
): V | null {
  try {
    return store.get(key) ?? null;
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    task.recordFailed(error, step);
    return null;
  }
}

/**
 * Makes a table of a topic: each record replaces the row of its key, a null value (tombstone) deletes it.
 *
 * ```text
 * users    --ada:{1}------bob:{2}----ada:{3}------------bob:null------------|
 * changes  --ada:{1}------bob:{2}----ada:{3} was {1}----bob:null was {2}----|
 * ```
 *
 * Records are applied in offset order; an older timestamp does not lose against a newer one. Equal rows are changes too. The
 * table is kept in a store that moves with the commits of its stage, so a restart continues with the rows that it had. A
 * record without a key is dropped and counted.
 *
 * @param name - The topic, usually compacted.
 * @param options - Serdes; both are required.
 * @throws ConfigError `ERR_TOPIC_NAME`, `ERR_SERDE`, `ERR_OPTION`.
 * @see `joinTable`, `filterRows`, `mapRows`, `toStream` for what to do with it.
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
