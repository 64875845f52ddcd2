import { hopping, session, sliding, tumbling, unlimited, type Windower, windowBy } from 'millrace';
import { NotImplemented, numberOf, type Params, textOf } from '../format.ts';
import { aggregatorOf } from './aggregators.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

export function windowed(params: Params): CasePipeline {
  const input = anyTopic('in');
  const emit = textOf(params, 'emit');
  if (emit !== 'update' && emit !== 'close') throw new NotImplemented(`emit ${emit}`);
  const aggregated = input.pipe(
    windowBy(windowerOf(params), aggregatorOf(textOf(params, 'aggregate')), {
      store: 'windows',
      emit: emit === 'update' ? 'updates' : 'close',
    }),
  );
  return { pipeline: catchRows(aggregated, { windowed: true }), inputs: [input], store: 'windows' };
}

export function windowerOf(params: Params): Windower {
  const kind = textOf(params, 'window');
  switch (kind) {
    case 'sliding':
      return sliding({
        difference: `${numberOf(params, 'timeDifference')}ms`,
        grace: `${numberOf(params, 'grace')}ms`,
      });
    case 'session':
      return session({ gap: `${numberOf(params, 'gap')}ms`, grace: `${numberOf(params, 'grace')}ms` });
    case 'unlimited':
      return unlimited({ start: numberOf(params, 'start') });
    case 'tumbling':
      return tumbling({ size: `${numberOf(params, 'size')}ms`, grace: `${numberOf(params, 'grace')}ms` });
    case 'hopping':
      return hopping({
        size: `${numberOf(params, 'size')}ms`,
        advance: `${numberOf(params, 'advance')}ms`,
        grace: `${numberOf(params, 'grace')}ms`,
      });
    default:
      throw new NotImplemented(`${kind} windows`);
  }
}
