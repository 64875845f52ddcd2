import { type Duration, joinStream } from 'millrace';
import { type Json, NotImplemented, numberOf, type Params, textOf } from '../format.ts';
import { type AnyTopic, anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

export function streamJoin(params: Params): CasePipeline {
  const [left, right] = [anyTopic('left'), anyTopic('right')];
  return { pipeline: joined(left, right, textOf(params, 'type'), params), inputs: [left, right], lateApart: true };
}

export function selfJoin(params: Params): CasePipeline {
  const input = anyTopic('in');
  return {
    pipeline: joined(input, input, 'type' in params ? textOf(params, 'type') : 'inner', params),
    inputs: [input],
    lateApart: true,
  };
}

function joined(left: AnyTopic, right: AnyTopic, type: string, params: Params): CasePipeline['pipeline'] {
  const ms = (name: string): Duration => `${numberOf(params, name)}ms`;
  const options = { store: 'join', within: { before: ms('before'), after: ms('after') }, grace: ms('grace') };
  switch (type) {
    case 'inner':
      return catchRows(left.pipe(joinStream(right, (l, r): Json => [l, r], options)));
    case 'left':
      return catchRows(left.pipe(joinStream(right, (l, r): Json => [l, r], { ...options, type })));
    case 'outer':
      return catchRows(left.pipe(joinStream(right, (l, r): Json => [l, r], { ...options, type })));
    default:
      throw new NotImplemented(`join type ${type}`);
  }
}
