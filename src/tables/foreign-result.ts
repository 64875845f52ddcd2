import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import type { Stream } from '../dataflow/stream.ts';
import { keySerdeOf } from '../operators/keyed.ts';
import { type Change, makeChange, type StreamRecord } from '../record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import type { ForeignJoin } from './foreign-join.ts';
import type { Reply } from './foreign-messages.ts';
import type { RowStore } from './row-store.ts';
import { Table } from './table.ts';

/**
 * What is known of a left row: number of the last change that was heard of, subscriptions that it has left, those that it
 * had when it was deleted, and whether it is.
 */
type Mark = readonly [version: number, left: number, ended: number, deleted: boolean];

const NEW: Mark = [0, 0, 0, false];

/** The joined rows, of what is heard of them. What is older than what was heard already says nothing any more. */
export function foreignResult<K, L, F, R, W>(
  heard: Stream<StreamRecord<K, Reply>>,
  join: ForeignJoin<K, L, F, R, W>,
  own: RowStore<K, NonNullable<W>>,
): Table<K, NonNullable<W>> {
  const marks = join.store<Mark>('marks', 'keyValue');
  const kept = new KeptRows<K, NonNullable<W>>();
  const changes = node<StreamRecord<K, Reply>, Change<K, NonNullable<W>>>([heard], {
    name: 'joinRows',
    keepsTime: true,
    detail: join.name,
    needsKey: true,
    stores: [own.use, marks.use],
    create(step) {
      const { task } = step;
      const rows = own.open(step);
      kept.keep(task, rows);
      const marked = new KeyValueStore<K, Mark>(
        task.openStore(marks.use.name),
        keySerdeOf<K>(step.place),
        marks.codec,
        task.cacheEntries,
      );
      task.addState(marked);
      return (record) => {
        const key = record.key as NonNullable<K>;
        const reply = record.value;
        const entry = marked.entry(key);
        const [version, left, ended, deleted] = entry.value ?? NEW;
        const isNews = reply.version >= version;
        const mark: Mark = [
          Math.max(version, reply.version),
          left + (reply.left ? 1 : 0),
          ended + (reply.ended ?? 0),
          reply.version > version ? reply.ended !== null : deleted || (isNews && reply.ended !== null),
        ];
        // Nothing is on its way any more that could be taken for a row.
        if (mark[3] && mark[1] >= mark[2]) marked.delete(entry);
        else marked.put(entry, mark, record.timestamp);
        if (!isNews) return;
        const row = rows.entry(key);
        const before = row.value ?? null;
        // That its last subscription was left may come later, and is passed over then: the row goes with the end.
        if (!reply.tells && (reply.ended === null || before === null)) return;
        const after = reply.row === null ? null : join.joinedRows.deserialize(reply.row);
        if (after !== null) rows.put(row, after, record.timestamp);
        else if (before !== null) rows.delete(row);
        // A deletion is told also where the row was never there: whoever sends it cannot know (FK-3).
        step.emitUpdate(makeChange<K, NonNullable<W>>(record.key, after, before, record.timestamp, record));
      };
    },
  });
  return new Table<K, NonNullable<W>>({
    name: join.name,
    changes,
    keySerde: join.leftKeys,
    rowSerde: join.joinedRows,
    updates: changes,
    rowsIn: (task) => kept.in(task),
  });
}
