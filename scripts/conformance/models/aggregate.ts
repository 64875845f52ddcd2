import { type Data, type Input, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { foldAll, foldOf } from './folds.ts';

type Arrival = { readonly key: string; readonly value: Data; readonly timestamp: number };

/** A running aggregate per key (AG-1): keeps every record and folds them anew for each row. */
export function aggregateModel(params: Params, inputs: readonly Input[]): Expected {
  const fold = foldOf(textOf(params, 'aggregate'));
  const arrivals: Arrival[] = [];
  let dropped = 0;
  const rowOf = (key: string): Row => ({
    key,
    ...foldAll(
      fold,
      arrivals.filter((arrival) => arrival.key === key),
    ),
  });
  const steps = inputs.map(({ key, timestamp, value }): Row[] => {
    if (key === null || value === null) {
      dropped += 1;
      return [];
    }
    arrivals.push({ key, value, timestamp });
    return [rowOf(key)];
  });
  const keys = [...new Set(arrivals.map(({ key }) => key))];
  return { steps, dropped, store: keys.map(rowOf).filter(({ value }) => value !== null) };
}
