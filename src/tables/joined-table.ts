import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { Rows, RowTime } from '../dataflow/table-source.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeChange } from '../record.ts';
import { isOlderVersion } from './older-version.ts';
import type { RowStore } from './row-store.ts';
import { Table } from './table.ts';

/** Makes the joined row of two rows. */
export type PairRows<K, L, R, W> = (
  left: NonNullable<L> | null,
  right: NonNullable<R> | null,
  key: NonNullable<K>,
) => W;

/**
 * Makes the joined row of two rows according to the type of the join; null for none. The user's function is called with
 * at least one row.
 */
export function pairRows<K, L, R, W>(
  combine: PairRows<K, L, R, W>,
  type: 'inner' | 'left' | 'outer',
): PairRows<K, L, R, NonNullable<W> | null> {
  return (left, right, key) => {
    if (left === null && (type !== 'outer' || right === null)) return null;
    if (right === null && type === 'inner') return null;
    return settled(combine(left, right, key)) ?? null;
  };
}

/** The rows of two tables in one task. */
interface Sides<K, L, R> {
  readonly left: Rows<K, L>;
  readonly right: Rows<K, R>;
}

/** The table of the joined rows of two tables. */
export function joinedTable<K, L, R, W>(
  left: Table<K, L>,
  right: Table<K, R>,
  make: PairRows<K, L, R, NonNullable<W> | null>,
  own: RowStore<K, NonNullable<W>>,
): Table<K, NonNullable<W>> {
  const kept = new KeptRows<K, NonNullable<W>>();
  const changes = node<never, Change<K, NonNullable<W>>>([left.writes, right.writes], {
    name: 'joinRows',
    keepsTime: true,
    detail: own.name,
    needsKey: true,
    stores: [own.use],
    create(step) {
      const { task } = step;
      const rows = own.open(step);
      kept.keep(task, rows);
      // The tables' own steps are connected after this one.
      let opened: Sides<K, L, R> | undefined;
      const sides = (): Sides<K, L, R> => (opened ??= { left: left.rowsIn(task), right: right.rowsIn(task) });
      /** @param other - Timestamp of the row that has not changed. */
      const changed = (change: Change<K, unknown>, after: NonNullable<W> | null, other: number): void => {
        const { key } = change;
        const timestamp = Math.max(change.timestamp, other);
        const entry = rows.entry(key as NonNullable<K>);
        const before = entry.value ?? null;
        if (after !== null) rows.put(entry, after, timestamp);
        else if (before === null) return;
        else rows.delete(entry);
        step.emitUpdate(makeChange<K, NonNullable<W>>(key, after, before, timestamp, change));
      };
      const onLeft = (change: Change<K, L>): void => {
        if (isOlderVersion(change, step)) return;
        const key = change.key as NonNullable<K>;
        const others = sides().right;
        others.time?.reach(change.timestamp);
        changed(change, madeOf(step, make, rowOf(change), others.get(key) ?? null, key), others.timestampOf(key));
      };
      const onRight = (change: Change<K, R>): void => {
        if (isOlderVersion(change, step)) return;
        const key = change.key as NonNullable<K>;
        const others = sides().left;
        others.time?.reach(change.timestamp);
        changed(change, madeOf(step, make, others.get(key) ?? null, rowOf(change), key), others.timestampOf(key));
      };
      return { take: [onLeft, onRight] };
    },
  });
  return new Table<K, NonNullable<W>>({
    name: own.name,
    changes,
    updates: changes,
    rowsIn: (task) => withYoungerStore(kept.in(task), { left: left.rowsIn(task), right: right.rowsIn(task) }, make),
  });
}

/** The joined row of two rows. If the function fails there is none, so that steps below do not keep an outdated row. */
function madeOf<K, L, R, W>(
  step: Step<unknown>,
  make: PairRows<K, L, R, W | null>,
  left: NonNullable<L> | null,
  right: NonNullable<R> | null,
  key: NonNullable<K>,
): W | null {
  try {
    return make(left, right, key);
  } catch (error) {
    step.failed(error);
    return null;
  }
}

function rowOf<V>(change: Change<unknown, V>): NonNullable<V> | null {
  return change.value ?? null;
}

/** A store that is newer than the tables lacks the rows that have not changed since: they are computed on look-up. */
function withYoungerStore<K, L, R, W>(
  rows: Rows<K, NonNullable<W>>,
  { left, right }: Sides<K, L, R>,
  make: PairRows<K, L, R, NonNullable<W> | null>,
): Rows<K, NonNullable<W>> {
  const made = (key: NonNullable<K>): NonNullable<W> | undefined =>
    make(left.get(key) ?? null, right.get(key) ?? null, key) ?? undefined;
  const time = timeOfBoth(left.time, right.time);
  return {
    time,
    get: (key) => (time?.behind === true ? undefined : rows.get(key)) ?? made(key),
    timestampOf(key) {
      if (time?.behind !== true && rows.get(key) !== undefined) return rows.timestampOf(key);
      return made(key) === undefined ? -1 : Math.max(left.timestampOf(key), right.timestampOf(key));
    },
  };
}

/** A joined row expires when either of its rows does. */
function timeOfBoth(left: RowTime | undefined, right: RowTime | undefined): RowTime | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return {
    get behind() {
      return left.behind || right.behind;
    },
    reach(timestamp) {
      left.reach(timestamp);
      right.reach(timestamp);
    },
  };
}
