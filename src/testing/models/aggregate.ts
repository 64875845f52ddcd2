import type { TestRecord } from '../test-driver.ts';
import {
  type Arrival,
  arrivalOf,
  folded,
  type ModelFold,
  type ModelOutcome,
  type ModelOutput,
  nameOf,
  outcomeOf,
  sameKey,
} from './model.ts';

/**
 * The output of `aggregate`, in plain code: it keeps every record and refolds all records of a key for each row.
 *
 * @public
 */
export function aggregateModel<K, V, A, R>(
  fold: ModelFold<NonNullable<V>, A, R>,
  records: readonly TestRecord<K, V>[],
): ModelOutcome<K, R> {
  const arrivals: Arrival<K, NonNullable<V>>[] = [];
  const rowOf = (key: NonNullable<K>): ModelOutput<K, R> => {
    return {
      key,
      ...folded(
        fold,
        arrivals.filter((each) => sameKey(each.key, key)),
      ),
    };
  };
  let dropped = 0;
  const steps = records.map((record): ModelOutput<K, R>[] => {
    const arrival = arrivalOf<K, NonNullable<V>>(record as TestRecord<K, NonNullable<V>>);
    if (arrival === undefined) {
      dropped += 1;
      return [];
    }
    arrivals.push(arrival);
    return [rowOf(arrival.key)];
  });
  const keys = [...new Map(arrivals.map(({ key }) => [nameOf(key), key])).values()];
  return outcomeOf({ steps, dropped, open: keys.map(rowOf).filter(({ value }) => value !== null) });
}
