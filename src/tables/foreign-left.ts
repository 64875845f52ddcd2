import { node } from '../dataflow/operator.ts';
import type { Stream } from '../dataflow/stream.ts';
import { keySerdeOf } from '../operators/keyed.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeRecord, type StreamRecord } from '../record.ts';
import { string } from '../serdes/string.ts';
import { compareBytes } from '../state/key-codec.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import type { ForeignJoin } from './foreign-join.ts';
import type { Subscription } from './foreign-messages.ts';
import { isOlderVersion } from './older-version.ts';
import type { Table } from './table.ts';

/** The subscription of a left row: its number, how many subscriptions the row has had, and the key of its right row. */
type Lease = readonly [number: number, opened: number, rightKey: Uint8Array | null];

/** Key of the counter of changes. */
const LAST = 'last';

/** Tells the tasks of the right rows which left rows belong to them. */
export function leftSide<K, L, F, R, W>(
  left: Table<K, L>,
  join: ForeignJoin<K, L, F, R, W>,
): Stream<StreamRecord<F, Subscription>> {
  const leases = join.store<Lease>('leases', 'keyValue');
  const versions = join.store<number, string>('versions', 'keyValue', string());
  const { isLeft, leftKeys, leftRows, rightKeys } = join;
  return node<Change<K, L>, StreamRecord<F, Subscription>>([left.writes], {
    name: 'joinRows',
    keepsTime: true,
    detail: join.name,
    needsKey: true,
    changesKey: true,
    stores: [leases.use, versions.use],
    create(step) {
      const { task } = step;
      const { cacheEntries, partition } = task;
      const leased = new KeyValueStore<K, Lease>(
        task.openStore(leases.use.name),
        keySerdeOf<K>(step.place),
        leases.codec,
        cacheEntries,
      );
      const counted = new KeyValueStore(task.openStore(versions.use.name), string(), versions.codec, cacheEntries);
      task.addState(leased);
      task.addState(counted);
      const next = (): number => {
        const last = counted.entry(LAST);
        const version = (last.value ?? 0) + 1;
        counted.put(last, version, 0);
        return version;
      };
      const send = (
        change: Change<K, L>,
        to: Uint8Array | null,
        message: Omit<Subscription, 'key' | 'partition'>,
      ): void => {
        const { headers, offset, timestamp, topic } = change;
        const right = (to === null ? null : rightKeys.deserialize(to)) as F;
        const whole = { ...message, key: leftKeys.serialize(change.key as NonNullable<K>), partition };
        step.out.next(makeRecord<F, Subscription>(right, whole, timestamp, headers, topic, change.partition, offset));
      };
      /**
       * Goes by way of the right side, not directly to the result: there it would overtake messages that were sent
       * earlier.
       */
      const tell = (
        change: Change<K, L>,
        version: number,
        answer: 'always' | 'none',
        row: Uint8Array | null,
        ended: number | null,
      ): void => send(change, null, { does: 'tell', number: 0, version, answer, ended, row });
      const leave = (
        change: Change<K, L>,
        [number, , to]: Lease,
        version: number,
        answer: 'deletion' | 'none',
        ended: number | null,
      ): void => {
        if (to === null) return;
        send(change, to, { does: 'leave', number, version, answer, ended, row: null });
      };
      /** The key of the right row that a row belongs to; `undefined` if there is no row or the function fails. */
      const rightKeyOf = (change: Change<K, L>): Uint8Array | null | undefined => {
        if (change.value === null) return undefined;
        try {
          const key = settled(join.keyOf(change.value as NonNullable<L>, change.key as NonNullable<K>)) ?? null;
          return key === null ? null : rightKeys.serialize(key);
        } catch (error) {
          step.failed(error);
          return undefined;
        }
      };
      const removed = (change: Change<K, L>, lease: Lease): void => {
        const version = next();
        const [, opened, to] = lease;
        // The timestamp of an inner join also depends on the right row, which only the right side knows.
        const isThere = !isLeft && to !== null;
        leave(change, lease, version, isThere ? 'deletion' : 'none', isThere ? opened : null);
        if (!isThere) tell(change, version, isLeft ? 'always' : 'none', null, opened);
      };
      const written = (change: Change<K, L>, to: Uint8Array | null, lease: Lease | undefined): Lease => {
        const row = change.value as NonNullable<L>;
        const key = change.key as NonNullable<K>;
        const version = next();
        const before = lease?.[2] ?? null;
        const opened = lease?.[1] ?? 0;
        const stays = lease !== undefined && before !== null && to !== null && compareBytes(before, to) === 0;
        if (lease !== undefined && !stays)
          leave(change, lease, version, to === null && !isLeft ? 'deletion' : 'none', null);
        if (to === null) {
          if (isLeft) tell(change, version, 'always', join.made(step, row, null, key), null);
          return [0, opened, null];
        }
        const number = stays ? lease[0] : version;
        send(change, to, {
          does: 'join',
          number,
          version,
          answer: isLeft || (before !== null && !stays) ? 'always' : 'row',
          ended: null,
          row: leftRows.serialize(row),
        });
        return [number, stays ? opened : opened + 1, to];
      };
      return (change) => {
        if (isOlderVersion(change, step)) return;
        const to = rightKeyOf(change);
        const entry = leased.entry(change.key as NonNullable<K>);
        const { value: lease } = entry;
        if (to !== undefined) {
          leased.put(entry, written(change, to, lease), change.timestamp);
        } else if (lease !== undefined) {
          removed(change, lease);
          leased.delete(entry);
        }
      };
    },
  });
}
