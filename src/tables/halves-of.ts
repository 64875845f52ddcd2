import { operator } from '../dataflow/operator.ts';
import type { Stream } from '../dataflow/stream.ts';
import { settled } from '../options/promises.ts';
import { type Change, type Headers, type KeyChanged, makeRecord, type StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { compareBytes } from '../state/key-codec.ts';
import type { Topic } from '../streams/topic.ts';
import { withRemoved } from './halves.ts';
import type { Table } from './table.ts';

/** What a group gains (value) and loses (header) through the change of a row. */
export type Halves<G, V> = StreamRecord<G, V | null, KeyChanged>;

/**
 * Turns each change of a row into what its old group loses and its new group gains: one record if both groups are the
 * same.
 */
export function halvesOf<K, V, G>(
  table: Table<K, V>,
  select: (row: NonNullable<V>, key: NonNullable<K>) => G | null,
  topic: Topic<G, V>,
): Stream<Halves<G, V>> {
  const keys = topic.key as Serde<G>;
  const groupOf = (row: V | null, key: K): NonNullable<G> | null =>
    row === null ? null : (settled(select(row as NonNullable<V>, key as NonNullable<K>)) ?? null);
  return operator<Change<K, V>, Halves<G, V>>({
    name: 'regroup',
    keepsTime: true,
    detail: topic.name,
    changesKey: true,
    create: (step) => (change) => {
      // The newest row has not changed.
      if (change.newest === false) return;
      const { before, headers, key, value } = change;
      let from: NonNullable<G> | null = null;
      let to: NonNullable<G> | null = null;
      try {
        from = groupOf(before, key);
      } catch {
        // It was in no group.
      }
      try {
        to = groupOf(value, key);
      } catch (error) {
        step.failed(error);
      }
      const lost = withRemoved(headers, from === null ? null : before, topic.value);
      if (from !== null && to !== null && sameKey(from, to, keys)) {
        step.out.next(half(change, to, value, lost));
        return;
      }
      if (from !== null) step.out.next(half(change, from, null, lost));
      if (to !== null) step.out.next(half(change, to, value, withRemoved(headers, null, topic.value)));
    },
  })(table.changes) as Stream<Halves<G, V>>;
}

function sameKey<G>(left: NonNullable<G>, right: NonNullable<G>, serde: Serde<G>): boolean {
  return left === right || compareBytes(serde.serialize(left), serde.serialize(right)) === 0;
}

function half<G, V>(
  change: Change<unknown, V>,
  group: NonNullable<G>,
  gained: V | null,
  headers: Headers,
): Halves<G, V> {
  const { offset, partition, timestamp, topic } = change;
  return makeRecord(group as G, gained, timestamp, headers, topic, partition, offset);
}
