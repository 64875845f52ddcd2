import { windowByModel } from '../../../src/testing/models/window-by.ts';
import type { CountWindower, Windower } from '../../../src/windows/windower.ts';
import { type Input, type Params, textOf } from '../format.ts';
import { windowerOf } from '../pipelines/windowed.ts';
import type { Expected } from './expected.ts';
import { modelFold } from './folds.ts';

/** The windows of the vectors (TW, SL, SE, UN, EM-1 to EM-3, TM-2, TM-10), by the model that users have. */
export function windowedModel(params: Params, inputs: readonly Input[]): Expected {
  const emit = textOf(params, 'emit') === 'close' ? 'close' : 'updates';
  const { dropped, late, open, steps } = windowByModel(
    windowerOf(params) as Exclude<Windower, CountWindower>,
    modelFold(textOf(params, 'aggregate')),
    inputs,
    emit,
  );
  return { steps, dropped: dropped + late, store: open };
}
