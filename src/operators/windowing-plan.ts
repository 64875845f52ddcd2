import type { Aggregator } from '../aggregators/aggregator.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkOneOf } from '../options/option-checks.ts';
import type { Windower } from '../windows/windower.ts';
import type { State } from './aggregation.ts';

/** When rows of windows are emitted. @public */
export type WindowEmit = 'close' | 'updates' | { readonly every: Duration };

/** The checked definition of a windowed aggregation. */
export interface WindowingPlan<V, R> {
  /** Its name in messages: `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /** Name of the store. */
  readonly name: string;
  readonly windower: Windower;
  readonly aggregator: Aggregator<V, State, R, null>;
  readonly emit: 'close' | 'updates' | 'every';
  /** The interval of `{ every }`. */
  readonly everyMs: number;
}

/** Whether windows end by time. If not, no record can be late. */
export function endsByTime({ windower }: WindowingPlan<never, unknown>): boolean {
  return windower.kind !== 'count' && windower.kind !== 'unlimited';
}

/**
 * Whether rows are emitted later than the records they result from. With `updates`, only the deletions of merged
 * sessions are.
 */
export function rowsWait({ emit, windower }: WindowingPlan<never, unknown>): boolean {
  // A count window closes with a record.
  if (emit === 'close') return windower.kind !== 'count';
  return emit !== 'updates' || windower.kind === 'session';
}

/**
 * Checks the definition of a windowed aggregation.
 *
 * @throws ConfigError `ERR_WINDOWER`, `ERR_OPTION`, `ERR_DURATION`, `ERR_AGGREGATION`.
 */
export function planWindowing<V, R>(
  step: string,
  name: string,
  windower: Windower,
  aggregator: Aggregator<V, State, R, null>,
  emit: WindowEmit = 'close',
): WindowingPlan<V, R> {
  const where = `${step}(${name})`;
  if (typeof windower?.fingerprint !== 'string' || typeof windower.graceMs !== 'number') {
    throw new ConfigError('ERR_OPTION', `${where} was given no windows`, {
      hint: "give windows such as tumbling({ size: '1m', grace: '10s' })",
    });
  }
  let everyMs = 0;
  if (typeof emit === 'object' && emit !== null) {
    checkNames(`${where}: emit`, emit, { every: true });
    everyMs = durationMs(emit.every, 'every');
    if (everyMs === 0)
      throw new ConfigError('ERR_OPTION', `${where}: every is ${emit.every}`, { hint: 'give more than 0' });
  } else {
    checkOneOf(where, 'emit', emit, ['close', 'updates']);
  }
  if (emit === 'close' && windower.kind === 'unlimited') {
    throw new ConfigError('ERR_OPTION', `${where} emits on close, but an unlimited window never closes`, {
      hint: "emit 'updates', or { every: '1m' }",
    });
  }
  if (emit !== 'close' && windower.kind === 'count') {
    throw new ConfigError('ERR_OPTION', `${where}: count windows are emitted when they are full`, {
      hint: "leave `emit` out, or give 'close'; for a row per record use aggregate(…)",
    });
  }
  if (windower.kind === 'session' && aggregator.merge === undefined) {
    throw new ConfigError('ERR_AGGREGATION', `${where}: the aggregator ${aggregator.name} cannot merge sessions`, {
      hint: 'give it a `merge` that combines two states: agg.custom({ init, add, merge: (left, right) => … })',
    });
  }
  return { step: where, name, windower, aggregator, emit: everyMs > 0 ? 'every' : (emit as 'close'), everyMs };
}
