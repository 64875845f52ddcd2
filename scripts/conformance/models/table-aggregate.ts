import {
  type Data,
  type Input,
  type Json,
  NotImplemented,
  type Params,
  type Row,
  splitValue,
  textOf,
} from '../format.ts';
import type { Expected } from './expected.ts';

interface Fold {
  readonly add: (total: Json, row: Data) => Json;
  readonly remove: (total: Json, row: Data) => Json;
}

const folds: Readonly<Record<string, Fold>> = {
  count: { add: (total) => Number(total) + 1, remove: (total) => Number(total) - 1 },
  sum: {
    add: (total, row) => Number(total) + Number(row),
    remove: (total, row) => Number(total) - Number(row),
  },
  concat: {
    add: (total, row) => `${String(total ?? '0')}+${String(row)}`,
    remove: (total, row) => `${String(total)}-${String(row)}`,
  },
  reduce: {
    add: (total, row) => (total === null ? row : `${String(total)}+${String(row)}`),
    remove: (total, row) => `${String(total)}-${String(row)}`,
  },
};

/**
 * A table aggregated by group (TA-1 to TA-4): each change takes the old row out of its group and adds the new one to its. Of a
 * table with history only the newest rows count.
 */
export function tableAggregateModel(params: Params, inputs: readonly Input[]): Expected {
  const fold = folds[textOf(params, 'aggregate')];
  if (fold === undefined) throw new NotImplemented(`the aggregate ${textOf(params, 'aggregate')}`);
  const historyMs = 'historyRetention' in params ? Number(params['historyRetention']) : undefined;
  const newest = new Map<string, Input>();
  const totals = new Map<string, Row>();
  let time = -1;
  let dropped = 0;
  const steps = inputs.map((input): Row[] => {
    const { key, timestamp, value } = input;
    if (key === null) {
      dropped += 1;
      return [];
    }
    time = Math.max(time, timestamp);
    const last = newest.get(key);
    if (historyMs !== undefined && timestamp < time - historyMs) {
      dropped += 1;
      return [];
    }
    if (historyMs !== undefined && timestamp < (last?.timestamp ?? -1)) return [];
    newest.set(key, input);
    const [from, to] = [placeOf(last?.value ?? null), placeOf(value)];
    const touched = [...new Set([from?.group, to?.group])].filter((group) => group !== undefined);
    return touched.flatMap((group): Row[] => {
      const before = totals.get(group);
      let total: Json = before?.value ?? null;
      if (from?.group === group && before !== undefined) total = fold.remove(total, from.row);
      if (to?.group === group) total = fold.add(total, to.row);
      if (total === null) return [];
      const row = { key: group, value: total, timestamp: Math.max(before?.timestamp ?? -1, timestamp) };
      totals.set(group, row);
      return [row];
    });
  });
  return { steps, dropped, store: [...totals.values()] };
}

function placeOf(value: Json): { readonly group: string; readonly row: Data } | undefined {
  const { head, tail } = splitValue(value);
  return head === null || tail === null ? undefined : { group: head, row: tail };
}
