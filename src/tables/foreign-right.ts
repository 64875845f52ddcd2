import { node } from '../dataflow/operator.ts';
import type { Stream } from '../dataflow/stream.ts';
import type { Rows } from '../dataflow/table-source.ts';
import { keySerdeOf } from '../operators/keyed.ts';
import { type Change, makeRecord, type StreamRecord } from '../record.ts';
import { TimedStore } from '../state/timed-store.ts';
import type { ForeignJoin } from './foreign-join.ts';
import type { Reply, Subscription } from './foreign-messages.ts';
import { isOlderVersion } from './older-version.ts';
import type { Table } from './table.ts';

/** A left row as the right side keeps it: its key, the number of its last change, and its content. */
type Subscriber = readonly [key: Uint8Array, version: number, row: Uint8Array];

/** Joins right rows with the left rows that belong to them. */
export function rightSide<K, L, F, R, W>(
  right: Table<F, R>,
  subscriptions: Stream<StreamRecord<F, Subscription>>,
  join: ForeignJoin<K, L, F, R, W>,
): Stream<StreamRecord<K, Reply>> {
  const subscribers = join.store<Subscriber>('subscribers', 'timed');
  return node<never, StreamRecord<K, Reply>>([right.writes, subscriptions], {
    name: 'joinRows',
    keepsTime: true,
    detail: join.name,
    needsKey: true,
    changesKey: true,
    stores: [subscribers.use],
    create(step) {
      const { task } = step;
      const store = new TimedStore<F, Subscriber>(
        task.openStore(subscribers.use.name),
        keySerdeOf<F>(step.place),
        subscribers.codec,
        task.cacheEntries,
      );
      task.addState(store);
      // The table's own step is connected after this one.
      let opened: Rows<F, R> | undefined;
      const rows = (): Rows<F, R> => (opened ??= right.rowsIn(task));
      const reply = (from: StreamRecord<unknown, unknown>, to: Uint8Array, timestamp: number, message: Reply): void => {
        const { headers, offset, partition, topic } = from;
        const key = join.leftKeys.deserialize(to);
        step.emitUpdate(makeRecord<K, Reply>(key, message, timestamp, headers, topic, partition, offset));
      };
      const joined = (key: Uint8Array, row: Uint8Array, other: NonNullable<R> | null): Uint8Array | null => {
        const left = join.leftRows.deserialize(row);
        return join.made(step, left, other, join.leftKeys.deserialize(key));
      };
      const onRight = (change: Change<F, R>): void => {
        if (isOlderVersion(change, step)) return;
        const other = change.value ?? null;
        for (const { value } of store.range(change.key as NonNullable<F>)) {
          const [key, version, row] = value;
          const message = { version, left: false, ended: null, tells: true, row: joined(key, row, other) };
          reply(change, key, change.timestamp, message);
        }
      };
      const onSubscription = (record: StreamRecord<F, Subscription>): void => {
        const { answer, does, ended, key, number, partition, row, version } = record.value;
        const at = record.key as NonNullable<F>;
        const left = does === 'leave';
        if (does === 'tell') {
          const message = { version, left, ended, tells: answer === 'always', row };
          reply(record, key, record.timestamp, message);
          return;
        }
        if (left) store.delete(at, number, partition);
        else store.put(at, number, [key, version, row as Uint8Array], partition);
        if (answer === 'none') {
          reply(record, key, record.timestamp, { version, left, ended, tells: false, row: null });
          return;
        }
        rows().time?.reach(record.timestamp);
        const other = rows().get(at) ?? null;
        if (answer === 'row' && other === null) return;
        const timestamp = Math.max(record.timestamp, rows().timestampOf(at));
        const made = left ? null : joined(key, row as Uint8Array, other);
        reply(record, key, timestamp, { version, left, ended, tells: true, row: made });
      };
      return { take: [onRight, onSubscription] };
    },
  });
}
