import { type Input, type Params, splitValue, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { joined, latestRow } from './join.ts';
import { windowedModel } from './windowed.ts';

/** Events counted per user and window, joined with the user's name: the models of the steps, one after the other. */
export function chainModel(params: Params, inputs: readonly Input[]): Expected {
  const left = textOf(params, 'type') === 'left';
  // A name is an event without key and value here: counting passes over it, and steps keep their places.
  const keyed = inputs.map(
    (input): Input =>
      input.topic === 'events' ? { ...input, key: splitValue(input.value).head } : { ...input, key: null, value: null },
  );
  const counted = windowedModel({ ...params, window: 'tumbling', aggregate: 'count', emit: 'update' }, keyed);
  const steps = counted.steps.map((rows, at) =>
    rows.flatMap(({ key, timestamp, value, window }) => {
      const name = latestRow(inputs.slice(0, at), 'names', key);
      return joined({ key, value: [window?.start ?? null, value], timestamp }, name, left);
    }),
  );
  return { steps };
}
