import { type Aggregator, agg } from 'millrace';
import { type Data, NotImplemented } from '../format.ts';

const concat = (name: string, deletes: boolean): Aggregator<Data, Data, Data, null> =>
  agg.custom<Data, Data>({
    name,
    init: () => '0',
    add: (state, value) => (deletes && value === 'X' ? null : `${String(state)}+${String(value)}`),
    merge: (left, right) => `${String(left)}&${String(right)}`,
    remove: (state, value) => `${String(state)}-${String(value)}`,
  });

/** The aggregate functions of the vectors, by the aggregators that a user would take. */
export function aggregatorOf(name: string): Aggregator<Data, unknown, Data, null> {
  switch (name) {
    case 'count':
      return agg.count() as Aggregator<Data, unknown, Data, null>;
    case 'sum':
      return agg.sum((value: Data) => Number(value)) as Aggregator<Data, unknown, Data, null>;
    case 'concat':
      return concat(name, false) as Aggregator<Data, unknown, Data, null>;
    case 'concatDelete':
      return concat(name, true) as Aggregator<Data, unknown, Data, null>;
    case 'reduce':
      return agg.reduce<Data>((left, right) => `${String(left)}+${String(right)}`, {
        remove: (left, right) => `${String(left)}-${String(right)}`,
      });
    default:
      throw new NotImplemented(`the aggregate ${name}`);
  }
}
