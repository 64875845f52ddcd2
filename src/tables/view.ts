import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { Rows, TableSource } from '../dataflow/table-source.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeVersion } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { RowStore } from './row-store.ts';
import { Table } from './table.ts';

/** How to store the rows of a view, if at all. @public */
export interface ViewOptions<V> {
  /** Keeps the rows in a store with this name, unique in a pipeline, instead of computing them on look-up. */
  readonly store?: string;
  /** How rows are stored (default: MessagePack). */
  readonly value?: Serde<V>;
}

/** Computes the row of a view from a row; null or undefined for none. */
export type Derive<K, V, W> = (row: NonNullable<V>, key: NonNullable<K>) => W;

/**
 * A table whose rows are computed from those of another table. A row for which the function fails is not in the view:
 * the failure goes to the record policy, and an existing row is deleted, so that steps below do not keep an outdated
 * one.
 */
export function view<K, V, W>(
  above: TableSource<K, V>,
  verb: string,
  derive: Derive<K, V, W>,
  options: ViewOptions<NonNullable<W>>,
): Table<K, NonNullable<W>> {
  return options.store === undefined
    ? computed(above, verb, derive)
    : stored(above, verb, derive, options.store, options.value);
}

function computed<K, V, W>(above: TableSource<K, V>, verb: string, derive: Derive<K, V, W>): Table<K, NonNullable<W>> {
  const changes = node<Change<K, V>, Change<K, NonNullable<W>>>([above.changes], {
    name: verb,
    keepsTime: true,
    detail: above.name,
    create: (step) => (change) => {
      const before = rowBefore(derive, change);
      const value = rowAfter(derive, change, step);
      if (value === null && before === null && above.historyMs === undefined) return;
      step.out.next(makeVersion(change.key, value, before, change.timestamp, change, change.newest !== false));
    },
  });
  return new Table<K, NonNullable<W>>({
    name: above.name,
    changes,
    historyMs: above.historyMs,
    updates: above.updates,
    rowsIn: (task) => derived(above.rowsIn(task), derive),
  });
}

function stored<K, V, W>(
  above: TableSource<K, V>,
  verb: string,
  derive: Derive<K, V, W>,
  store: string,
  value: Serde<NonNullable<W>> | undefined,
): Table<K, NonNullable<W>> {
  const own = new RowStore<K, NonNullable<W>>(verb, store, value);
  const kept = new KeptRows<K, NonNullable<W>>();
  const changes = node<Change<K, V>, Change<K, NonNullable<W>>>([above.changes], {
    name: verb,
    keepsTime: true,
    detail: own.name,
    needsKey: true,
    stores: [own.use],
    create(step) {
      const rows = own.open(step);
      kept.keep(step.task, rows);
      return (change) => {
        const { key, timestamp } = change;
        const after = rowAfter(derive, change, step);
        if (change.newest === false) {
          step.out.next(makeVersion(key, after, rowBefore(derive, change), timestamp, change, false));
          return;
        }
        const entry = rows.entry(key as NonNullable<K>);
        const before = entry.value ?? rowBefore(derive, change);
        if (after !== null) rows.put(entry, after, timestamp);
        else if (entry.value !== undefined) rows.delete(entry);
        if (after === null && before === null && above.historyMs === undefined) return;
        step.emitUpdate(makeVersion(key, after, before, timestamp, change, true));
      };
    },
  });
  return new Table<K, NonNullable<W>>({
    name: own.name,
    changes,
    historyMs: above.historyMs,
    updates: changes,
    rowsIn(task) {
      const rows = kept.in(task);
      // A store that is newer than the table above lacks rows that have not changed since.
      const others = derived(above.rowsIn(task), derive);
      return {
        ...others,
        get: (key) => (others.time?.behind === true ? undefined : rows.get(key)) ?? others.get(key),
        timestampOf: (key) =>
          others.time?.behind === true || rows.get(key) === undefined ? others.timestampOf(key) : rows.timestampOf(key),
      };
    },
  });
}

/** Rows that are computed on look-up. */
function derived<K, V, W>(rows: Rows<K, V>, derive: Derive<K, V, W>): Rows<K, NonNullable<W>> {
  const of = (row: NonNullable<V> | undefined, key: NonNullable<K>): NonNullable<W> | undefined =>
    row === undefined ? undefined : (settled(derive(row, key)) ?? undefined);
  return {
    get: (key) => of(rows.get(key), key),
    timestampOf: (key) => (of(rows.get(key), key) === undefined ? -1 : rows.timestampOf(key)),
    ...(rows.time === undefined ? {} : { time: rows.time }),
    ...(rows.at === undefined ? {} : { at: (key, time) => of(rows.at?.(key, time), key) }),
  };
}

/** The row of the view before a change; null if the function failed for it, because it was then not in the view. */
function rowBefore<K, V, W>(derive: Derive<K, V, W>, { before, key }: Change<K, V>): NonNullable<W> | null {
  if (before === null) return null;
  try {
    return derive(before as NonNullable<V>, key as NonNullable<K>) ?? null;
  } catch {
    return null;
  }
}

function rowAfter<K, V, W>(
  derive: Derive<K, V, W>,
  { key, value }: Change<K, V>,
  step: Step<unknown>,
): NonNullable<W> | null {
  if (value === null) return null;
  try {
    return settled(derive(value as NonNullable<V>, key as NonNullable<K>)) ?? null;
  } catch (error) {
    step.failed(error);
    return null;
  }
}
