import { cogroup } from 'millrace';
import type { Data, Json, Params } from '../format.ts';
import { type AnyTopic, anyTopic, type CasePipeline, catchRows } from './pipeline.ts';
import { windowerOf } from './windowed.ts';

export function cogrouped(params: Params): CasePipeline {
  const inputs = ['t1', 't2', 't3'].map(anyTopic) as [AnyTopic, AnyTopic, AnyTopic];
  const shared = {
    store: 'groups',
    init: (): Data => '0',
    add: [
      (state: Data, value: Data): Json => `${String(state)}+${String(value)}`,
      (state: Data, value: Data): Json => `${String(state)}*${String(value)}`,
      (state: Data, value: Data): Json => (value === 'X' ? null : `${String(state)}/${String(value)}`),
    ],
  } as const;
  const pipeline =
    params['window'] === undefined
      ? catchRows(cogroup(inputs, shared))
      : catchRows(
          cogroup(inputs, {
            ...shared,
            windows: windowerOf(params),
            emit: 'updates',
            merge: (left, right) => `${String(left)}&${String(right)}`,
          }),
          { windowed: true },
        );
  return { pipeline, inputs, store: 'groups' };
}
