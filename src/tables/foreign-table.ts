import type { StreamRecord } from '../record.ts';
import { shuffled } from '../streams/shuffled.ts';
import type { ForeignJoin } from './foreign-join.ts';
import { leftSide } from './foreign-left.ts';
import type { Reply, Subscription } from './foreign-messages.ts';
import { foreignResult } from './foreign-result.ts';
import { rightSide } from './foreign-right.ts';
import type { RowStore } from './row-store.ts';
import type { Table } from './table.ts';

/**
 * Joins a table with one that has different keys: rows travel to the tasks of their right rows, and the joined rows
 * travel back to the tasks of the left keys.
 */
export function foreignTable<K, L, F, R, W>(
  left: Table<K, L>,
  right: Table<F, R>,
  join: ForeignJoin<K, L, F, R, W>,
  own: RowStore<K, NonNullable<W>>,
): Table<K, NonNullable<W>> {
  const subscribed = shuffled<StreamRecord<F, Subscription>>(join.subscriptions, leftSide(left, join));
  const answered = rightSide(right, subscribed, join);
  const heard = shuffled<StreamRecord<K, Reply>>(join.replies, answered);
  return foreignResult(heard, join, own);
}
