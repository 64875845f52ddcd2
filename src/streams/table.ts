import type { Subscriber } from 'rxjs';
import type { Serde } from '../serdes/serde.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { serdeCodec } from '../state/value-codec.ts';
import type { TopicUse } from '../topology/node.ts';
import { Stream } from '../topology/stream.ts';
import type { TaskContext } from '../topology/task-context.ts';
import { type TopicOptions, topicUse } from './topic.ts';

/** Rows stay this long for streams that are joined with them later, such as those of an application that rests. */
const DAY_MS = 24 * 60 * 60 * 1000;

/** How the records of a table's topic are read. @public */
export interface TableOptions<K, V> extends TopicOptions<K, V> {
  readonly key: Serde<K>;
  /** Name of the store that keeps the table; the topic's name by default. */
  readonly store?: string;
}

/**
 * A table: the newest value of each key of a topic. A noun, not a stream: operators such as `joinTable` look into it.
 *
 * @public
 */
export class Table<K, V> {
  readonly name: string;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;
  /** @internal Connects the table in a task; emits nothing. */
  readonly updates: Stream<never>;
  readonly #store: string;
  readonly #stores = new WeakMap<TaskContext, KeyValueStore<K, NonNullable<V>>>();

  /** @internal */
  constructor(name: string, options: TableOptions<K, V>) {
    this.name = name;
    this.key = options.key;
    this.value = options.value;
    this.use = {
      ...topicUse('table', name, options, { store: true }),
      config: { cleanup: 'compact', minCompactionLagMs: DAY_MS, ...options.config },
    };
    const store = options.store ?? name;
    this.#store = store;
    this.updates = new Stream<never>({
      kind: 'table',
      name: 'table',
      detail: name,
      topics: [this.use],
      stores: [
        declareStore({
          name: store,
          kind: 'keyValue',
          key: this.key,
          value: serdeCodec(this.value, store),
          fingerprint: `table(${name})`,
        }),
      ],
      discover() {},
      attach: (subscriber, task, place) => this.#attach(subscriber, task, place.step),
    });
  }

  /** @internal The task's part of the table. */
  storeIn(task: TaskContext): KeyValueStore<K, NonNullable<V>> {
    let store = this.#stores.get(task);
    if (store === undefined) {
      const codec = serdeCodec(this.value, this.#store);
      store = new KeyValueStore<K, NonNullable<V>>(task.openStore(this.#store), this.key, codec, task.cacheEntries);
      task.addState(store);
      this.#stores.set(task, store);
    }
    return store;
  }

  #attach(subscriber: Subscriber<never>, task: TaskContext, step: string): void {
    const store = this.storeIn(task);
    task.consume(this.use, {
      key: this.use.key,
      value: this.use.value,
      tombstones: true,
      table: true,
      complete: () => subscriber.complete(),
      deliver(record) {
        if (record.key === null) {
          task.dropped('null key', step);
          return;
        }
        const value = record.value === null ? undefined : (record.value as NonNullable<V>);
        store.set(record.key as NonNullable<K>, value, record.timestamp);
      },
    });
  }
}

/**
 * Makes a table of a topic: each record replaces the value of its key, a null value (tombstone) deletes it.
 *
 * Records are applied in offset order; an older timestamp does not lose against a newer one. The table is kept in a store
 * that moves with the commits of its stage, so a restart continues with the rows that it had. A record without a key
 * is dropped and counted.
 *
 * @param name - The topic, usually compacted.
 * @param options - Serdes; both are required.
 * @public
 */
export function table<V, K>(name: string, options: TableOptions<K, V>): Table<K, V> {
  return new Table(name, options);
}
