import type { Input, Params } from '../format.ts';
import { aggregateModel } from './aggregate.ts';
import type { Expected } from './expected.ts';
import { windowedModel } from './windowed.ts';

const SIGNS: Readonly<Record<string, string>> = { t1: '+', t2: '*', t3: '/' };

/** A cogroup is the aggregation of one stream of all its inputs, whose values say where they come from (AG-2, TM-2). */
export function cogroupModel(params: Params, inputs: readonly Input[]): Expected {
  const signed = inputs.map((input) => ({
    ...input,
    value: input.value === null ? null : `${SIGNS[input.topic]}${String(input.value)}`,
  }));
  const shape = { ...params, aggregate: 'cogroup', emit: 'update' };
  return params['window'] === undefined ? aggregateModel(shape, signed) : windowedModel(shape, signed);
}
