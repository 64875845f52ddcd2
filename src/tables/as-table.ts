import { isObservable, type Observable } from 'rxjs';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node, portOf } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { adopted } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { keySerdeOf } from '../operators/keyed.ts';
import { openExpiry, ttlStores } from '../operators/row-expiry.ts';
import type { Duration } from '../options/duration.ts';
import { checkNames, show } from '../options/option-checks.ts';
import { type Change, makeChange, makeVersion, type StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { RowStore } from './row-store.ts';
import { Table, tableOf } from './table.ts';
import { tableTtl } from './topic-table.ts';
import { historyOf, VersionedRows } from './version-stores.ts';

/** How the rows of a stream are stored. @public */
export interface AsTableOptions<V> {
  /** Name of the state store, unique in a pipeline. It identifies the state: keep it when the pipeline changes. */
  readonly store: string;
  /** How rows are stored (default: MessagePack). */
  readonly value?: Serde<V>;
  /** How far back to keep the versions of rows, in event time; see {@link table}. */
  readonly history?: Duration;
  /** How long a row lives after its last record, in event time; see {@link table}. Excludes `history`. */
  readonly ttl?: Duration;
}

/**
 * Makes a table from a stream: each record replaces the row of its key, a null value deletes it.
 *
 * The changes of `aggregate`, `countByKey` and `reduceByKey` are already rows in the store of that step, so the table
 * needs no second store. Any other stream needs `{ store }`.
 *
 * ```text
 * asTable(orders.pipe(countByKey({ store: 'orders' })))
 *
 * orders   --a:x-----a:y-----------b:z--|
 * changes  --a:1-----a:2 was 1-----b:1--|
 * ```
 *
 * Records are applied in order of arrival. Null keys are dropped and counted. Rows survive restarts.
 *
 * @param changes - The unmodified output of an aggregate, or any stream together with options.
 * @param options - How the rows of a stream are stored.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 *
 * @example
 * ```ts
 * import { asTable, countByKey, joinTable, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<string>() });
 * const questions = topic('questions', { key: string(), value: json<string>() });
 * const answers = topic('answers', { key: string(), value: string() });
 * const counts = asTable(orders.pipe(countByKey({ store: 'orders-per-user' })));
 * const driver = new TestDriver(questions.pipe(joinTable(counts, (question, n) => `${question} ${n}`), to(answers)));
 * for (const value of ['tea', 'milk']) driver.pipe(orders, { key: 'ada', value });
 * driver.pipe(questions, { key: 'ada', value: 'how many orders?' });
 * console.log(driver.read(answers)[0]?.value);
 * // => how many orders? 2
 * ```
 * @public
 */
export function asTable<K, V>(changes: Observable<Change<K, V>>): Table<K, V>;
/** @public */
export function asTable<K, V>(
  stream: Observable<StreamRecord<K | null, V | null>>,
  options: AsTableOptions<V>,
): Table<K, V>;
export function asTable<K, V>(
  stream: Observable<StreamRecord<K | null, V | null>>,
  options?: AsTableOptions<V>,
): Table<K, V> {
  if (!isObservable(stream)) {
    throw new ConfigError('ERR_OPTION', `asTable(…) was given ${show(stream)} instead of a stream`, {
      hint: "give it a stream: asTable(orders.pipe(countByKey({ store: 'counts' }))), asTable(orders, { store: 'newest' })",
    });
  }
  if (options !== undefined) return storedTable(stream, options);
  const table = tableOf<K, V>(stream);
  if (table !== undefined) return table;
  const source = adopted(stream) as Observable<unknown> & ReturnType<typeof adopted<Change<K, V>>>;
  const { detail, rows } = source.spec;
  if (rows === undefined) {
    throw new ConfigError('ERR_STORE_NAME', 'asTable was given a stream whose rows are not in a store', {
      hint:
        'the changes of aggregate, countByKey and reduceByKey are rows only if no other step follows; for any other ' +
        "stream, name a store: asTable(stream, { store: 'rows' })",
    });
  }
  const name = detail ?? source.spec.name;
  const changes = node<Change<K, V>, Change<K, V>>([source], {
    name: 'asTable',
    keepsTime: true,
    detail: name,
    create:
      ({ out }) =>
      (change) => {
        if (change.value !== null || change.before !== null) out.next(change);
      },
  });
  return new Table<K, V>({
    name,
    changes,
    updates: source,
    writes: source,
    rowsIn: (task) => (rows as KeptRows<K, V>).in(task),
  });
}

function storedTable<K, V>(
  stream: Observable<StreamRecord<K | null, V | null>>,
  options: AsTableOptions<V>,
): Table<K, V> {
  const own = new RowStore<K, V>('asTable', options.store, options.value as Serde<NonNullable<V>> | undefined);
  checkNames(`asTable(${own.name})`, options, { store: true, value: true, history: true, ttl: true });
  const historyMs = historyOf(`asTable(${own.name})`, options.history);
  const ttlMs = tableTtl(`asTable(${own.name})`, options);
  if (historyMs !== undefined) return versionedTable(stream, own, historyMs);
  const kept = new KeptRows<K, V>();
  const changes = node<StreamRecord<K | null, V | null>, Change<K, V>>([stream], {
    name: 'asTable',
    keepsTime: true,
    waits: ttlMs !== undefined,
    detail: own.name,
    needsKey: true,
    stores: [own.use, ...ttlStores(own.name, ttlMs)],
    ports: ['writes'],
    create(step) {
      const rows = own.open(step);
      const writes = step.port<Change<K, V>>('writes');
      const expiry =
        ttlMs === undefined
          ? undefined
          : openExpiry<K, NonNullable<V>, V>(
              step as Step<never>,
              { name: own.name, ttlMs, rows, bytes: step.task.openStore(own.name), key: keySerdeOf<K>(step.place) },
              (row) => row,
              (change) => {
                step.emitRow(change.key as NonNullable<K>, change);
                if (writes.used) step.emitRow(change.key as NonNullable<K>, change, writes);
              },
            );
      const expiring = expiry?.rows;
      kept.keep(step.task, expiry?.looked ?? rows);
      const take = (record: StreamRecord<K | null, V | null>): void => {
        const { key, timestamp } = record;
        if (key === null) {
          step.drop('null key');
          return;
        }
        expiring?.observe(timestamp);
        const entry = rows.entry(key as NonNullable<K>);
        expiring?.endFor(entry, key as NonNullable<K>);
        const before = entry.value ?? null;
        const value = record.value ?? null;
        if (value !== null && before === null && expiring?.isOver(timestamp) === true) {
          step.drop('older than the ttl');
          return;
        }
        if (expiring !== undefined) {
          if (value !== null) expiring.put(entry, key as NonNullable<K>, value, timestamp);
          else expiring.delete(entry, key as NonNullable<K>);
        } else if (value !== null) rows.put(entry, value, timestamp);
        else if (before !== null) rows.delete(entry);
        const change = makeChange<K, V>(key, value, before, timestamp, record);
        if (value !== null || before !== null) step.emitUpdate(change);
        if (writes.used) step.emitUpdate(change, writes);
      };
      if (expiring === undefined) return { take: [take] };
      const { idle } = expiring;
      return { take: [take], advance: () => expiring.advance(), idle, holds: idle.due };
    },
  });
  return new Table<K, V>({
    name: own.name,
    changes,
    updates: changes,
    writes: portOf<Change<K, V>>(changes, 'writes'),
    rowsIn: (task) => kept.in(task),
  });
}

function versionedTable<K, V>(
  stream: Observable<StreamRecord<K | null, V | null>>,
  own: RowStore<K, V>,
  historyMs: number,
): Table<K, V> {
  const versioned = new VersionedRows<K, NonNullable<V>>(
    own.name,
    historyMs,
    'upstream',
    own.codec,
    `versions of ${own.use.fingerprint}`,
  );
  const kept = new KeptRows<K, V>();
  const changes = node<StreamRecord<K | null, V | null>, Change<K, V>>([stream], {
    name: 'asTable',
    keepsTime: true,
    detail: own.name,
    needsKey: true,
    stores: versioned.uses,
    create(step) {
      const { rows } = versioned.open(step.task, keySerdeOf<K>(step.place), step.time);
      kept.keep(step.task, rows);
      return (record) => {
        const { key, timestamp } = record;
        if (key === null) {
          step.drop('null key');
          return;
        }
        const value = record.value ?? null;
        const before = rows.at(key as NonNullable<K>, timestamp) ?? null;
        const isNewest = rows.put(key as NonNullable<K>, value, timestamp);
        if (isNewest === undefined) step.drop('older than the history');
        else step.emitUpdate(makeVersion<K, V>(key, value, before, timestamp, record, isNewest));
      };
    },
  });
  return new Table<K, V>({ name: own.name, changes, historyMs, updates: changes, rowsIn: (task) => kept.in(task) });
}
