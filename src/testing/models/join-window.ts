import type { JoinType } from '../../joins/join-rules.ts';
import type { SharedWindower } from '../../operators/join-window.ts';
import type { TestRecord } from '../test-driver.ts';
import type { SidedRecord } from './join-stream.ts';
import { arrivalOf, type ModelOutcome, type ModelOutput, outcomeOf } from './model.ts';
import { windowByModel } from './window-by.ts';

interface Member {
  readonly side: 'left' | 'right';
  readonly value: unknown;
  readonly timestamp: number;
}

/**
 * The output of `joinWindow`, in plain code: it keeps lists of the records of both sides in each window, and emits all
 * pairs of a window when it has closed, ordered by the time of the left record, then of the right one.
 *
 * @public
 */
export function joinWindowModel<K, L, R, W>(
  windower: SharedWindower,
  { type = 'inner' }: { readonly type?: JoinType },
  combine: (left: NonNullable<L> | null, right: NonNullable<R> | null) => W,
  records: readonly SidedRecord<K, L, R>[],
): ModelOutcome<K, W> {
  const members = records.map((record): TestRecord<K, Member> => {
    const arrival = arrivalOf<K, unknown>(record);
    const { key = null, side, timestamp = 0 } = record;
    const value = arrival && { side: side as 'left' | 'right', value: arrival.value, timestamp };
    return { key, value: value ?? null, timestamp };
  });
  const lists = {
    init: (): readonly Member[] => [],
    add: (all: readonly Member[], one: Member) => [...all, one],
    merge: (all: readonly Member[], more: readonly Member[]) => [...all, ...more],
    result: (all: readonly Member[]) => all,
  };
  const { closing, dropped, late, steps } = windowByModel(windower, lists, members);
  const pairs = ({ key, value, window }: ModelOutput<K, readonly Member[]>): ModelOutput<K, W>[] => {
    const sorted = (value ?? []).toSorted((one, other) => one.timestamp - other.timestamp);
    const lefts = sorted.filter(({ side }) => side === 'left');
    const rights = sorted.filter(({ side }) => side === 'right');
    const row = (left: Member | null, right: Member | null): ModelOutput<K, W> => ({
      key,
      value: combine((left?.value ?? null) as NonNullable<L> | null, (right?.value ?? null) as NonNullable<R> | null),
      timestamp: Math.max(left?.timestamp ?? -1, right?.timestamp ?? -1),
      ...(window === undefined ? {} : { window }),
    });
    if (rights.length === 0) return type === 'inner' ? [] : lefts.map((left) => row(left, null));
    if (lefts.length === 0) return type === 'outer' ? rights.map((right) => row(null, right)) : [];
    return lefts.flatMap((left) => rights.map((right) => row(left, right)));
  };
  return outcomeOf({ steps: steps.map((rows) => rows.flatMap(pairs)), closing: closing.flatMap(pairs), dropped, late });
}
