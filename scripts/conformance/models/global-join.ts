import { type Input, type Params, type Row, splitValue, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { joined, latestRow } from './join.ts';

/** A stream joined with the latest rows of a global table, by a key that is chosen per record (JT-1, GT-1). */
export function globalJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const left = textOf(params, 'type') === 'left';
  const byValue = textOf(params, 'mapper') === 'value';
  let dropped = 0;
  const steps = inputs.map(({ key, timestamp, topic, value }, at): Row[] => {
    if (topic === 'table') {
      if (key === null) dropped += 1;
      return [];
    }
    const chosen = value !== null && byValue ? splitValue(value).head : key;
    if (value === null || (chosen === null && !left)) {
      dropped += 1;
      return [];
    }
    return joined({ key, value, timestamp }, latestRow(inputs.slice(0, at), 'table', chosen), left);
  });
  return { steps, dropped };
}
