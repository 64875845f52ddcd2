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
 * What is known about a left row: the number of its last known change, how many of its subscriptions have ended, how
 * many it had when it was deleted, and whether it is deleted.
 */
type Mark = readonly [version: number, left: number, ended: number, deleted: boolean];

const NEW: Mark = [0, 0, 0, false];

/** Keeps the joined rows, as the replies report them. A reply that is older than the last known change is ignored. */
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
        // No reply is in flight any more that could be mistaken for a row.
        if (mark[3] && mark[1] >= mark[2]) marked.delete(entry);
        else marked.put(entry, mark, record.timestamp);
        if (!isNews) return;
        const row = rows.entry(key);
        const before = row.value ?? null;
        // The end of its last subscription may arrive later and is then ignored: the row is deleted as soon as its end
        // is known.
        if (!reply.tells && (reply.ended === null || before === null)) return;
        const after = reply.row === null ? null : join.joinedRows.deserialize(reply.row);
        if (after !== null) rows.put(row, after, record.timestamp);
        else if (before !== null) rows.delete(row);
        // A deletion is emitted even if the row never existed: the sender cannot know (FK-3).
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
