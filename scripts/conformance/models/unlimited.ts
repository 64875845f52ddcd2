import { type Data, type Input, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { foldAll, foldOf } from './folds.ts';

/** One window from a moment on (UN-1, TM-10): what comes before it is left out, and not counted. */
export function unlimitedModel(params: Params, inputs: readonly Input[]): Expected {
  const start = numberOf(params, 'start');
  const fold = foldOf(textOf(params, 'aggregate'));
  const taken: { readonly key: string; readonly value: Data; readonly timestamp: number }[] = [];
  let dropped = 0;
  const rowOf = (key: string): Row => {
    const own = taken.filter((each) => each.key === key);
    return { key, ...foldAll(fold, own), window: { start, end: null } };
  };
  const steps = inputs.map(({ key, timestamp, value }): Row[] => {
    if (key === null || value === null) {
      dropped += 1;
      return [];
    }
    if (timestamp < start) return [];
    taken.push({ key, value, timestamp });
    return [rowOf(key)];
  });
  const keys = [...new Set(taken.map(({ key }) => key))];
  return { steps, dropped, store: keys.map(rowOf).filter(({ value }) => value !== null) };
}
