import type { TestRecord } from '../test-driver.ts';
import type { SidedRecord } from './join-stream.ts';
import { type ModelOutcome, type ModelOutput, outcomeOf, sameKey } from './model.ts';

/**
 * The output of `joinTable`, in plain code: a record is joined with the last value written for its key, found by
 * searching from the end. The right side is the table and emits no rows.
 *
 * @public
 */
export function joinTableModel<K, L, R, W>(
  { type = 'inner' }: { readonly type?: 'inner' | 'left' },
  combine: (left: NonNullable<L>, right: NonNullable<R> | null) => W,
  records: readonly SidedRecord<K, L, R>[],
): ModelOutcome<K, W> {
  let dropped = 0;
  const written: TestRecord<K, R>[] = [];
  const steps = records.map((record): ModelOutput<K, W>[] => {
    const { key = null, side, timestamp = 0, value } = record;
    if (value === null ? side !== 'right' : key === null && (side === 'right' || type === 'inner')) {
      dropped += 1;
      return [];
    }
    if (side === 'right') {
      if (key === null) dropped += 1;
      else written.push(record);
      return [];
    }
    const row = key === null ? null : (written.findLast((each) => sameKey(each.key, key))?.value ?? null);
    if (row === null && type === 'inner') return [];
    return [{ key, value: combine(value as NonNullable<L>, row), timestamp }];
  });
  return outcomeOf({ steps, dropped });
}
