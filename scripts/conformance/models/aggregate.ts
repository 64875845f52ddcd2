import { aggregateModel as model } from '../../../src/testing/models/aggregate.ts';
import { type Input, type Params, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { modelFold } from './folds.ts';

/** A running aggregate per key (AG-1). */
export function aggregateModel(params: Params, inputs: readonly Input[]): Expected {
  const { dropped, open, steps } = model(modelFold(textOf(params, 'aggregate')), inputs);
  return { steps, dropped, store: open };
}
