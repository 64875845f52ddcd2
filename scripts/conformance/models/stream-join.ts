import type { JoinType } from '../../../src/joins/join-rules.ts';
import type { Duration } from '../../../src/options/duration.ts';
import { joinStreamModel, type SidedRecord } from '../../../src/testing/models/join-stream.ts';
import { type Data, type Input, type Json, numberOf, type Params, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

type Sided = SidedRecord<string, Data, Data>;

/** Joins of two streams (JS-1 to JS-7, TM-2, TM-9). */
export function streamJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const sided = inputs.map((input) => ({ ...input, side: input.topic === 'left' ? 'left' : 'right' }));
  const { dropped, late, steps } = modelled(params, textOf(params, 'type'), sided as Sided[]);
  return { steps, dropped, late };
}

/** A stream joined with itself is the join of two copies of it, the left one first (JS-8). */
export function selfJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const sided = inputs.map((input) => ({ ...input, side: 'both' }));
  const { late, steps } = modelled(params, 'type' in params ? textOf(params, 'type') : 'inner', sided as Sided[]);
  return { steps, late };
}

function modelled(params: Params, type: string, records: readonly Sided[]) {
  const ms = (name: string): Duration => `${numberOf(params, name)}ms`;
  const options = {
    within: { before: ms('before'), after: ms('after') },
    grace: ms('grace'),
    type: type as JoinType,
  };
  return joinStreamModel(options, (left, right): Json => [left, right], records);
}
