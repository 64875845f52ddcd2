import { ConfigError } from '../../errors.ts';
import type { CountWindower, Windower } from '../../windows/windower.ts';
import type { TestRecord } from '../test-driver.ts';
import { AlignedRules } from './aligned.ts';
import { type Arrival, arrivalOf, type ModelFold, type ModelOutcome, type ModelOutput, outcomeOf } from './model.ts';
import { SessionRules } from './sessions.ts';
import { SlidingRules } from './sliding.ts';

/** A naive model of one kind of windows: it keeps everything and recomputes it for each record. */
export interface WindowRules<K, V, R> {
  /** Records that are in no window. */
  readonly dropped: number;
  readonly late: number;
  /** Adds a record, which first advances stream time. @returns The rows of the windows that it changes. */
  add(arrival: Arrival<K, V>): ModelOutput<K, R>[];
  /** The rows of windows that have closed since the last call. */
  closed(): ModelOutput<K, R>[];
  /** The rows of windows that are open. */
  open(): ModelOutput<K, R>[];
  /** Ends the input: stream time advances until everything has closed. */
  end(): void;
}

/**
 * The output of `windowBy`, in plain code: the rows of each record, what is late, and what is open at the end. It is an
 * executable specification of windows and the oracle of Millrace's own tests.
 *
 * Rows of the same moment are ordered by the bytes of their keys, if these are strings.
 *
 * @param windower - As for `windowBy`; `countWindows` is not supported.
 * @param fold - An aggregator, such as `agg.count()`.
 * @param emit - `close`: a row for each window, when it has closed. `updates`: one for each change.
 *
 * @example
 * ```ts
 * import { agg, tumbling } from 'millrace';
 * import { windowByModel } from 'millrace/testing/models';
 *
 * const { late, rows } = windowByModel(tumbling({ size: '10s', grace: '0s' }), agg.count(), [
 *   { key: 'a', value: 'x', timestamp: 1_000 },
 *   { key: 'a', value: 'y', timestamp: 12_000 },
 *   { key: 'a', value: 'z', timestamp: 2_000 },
 * ]);
 * console.log(rows.map(({ value, window }) => `${window?.start}: ${value}`).join(', '), 'and', late, 'late');
 * // => 0: 1, 10000: 1 and 1 late
 * ```
 * @public
 */
export function windowByModel<K, V, A, R>(
  windower: Exclude<Windower, CountWindower>,
  fold: ModelFold<NonNullable<V>, A, R>,
  records: readonly TestRecord<K, V>[],
  emit: 'close' | 'updates' = 'close',
): ModelOutcome<K, R> {
  const rules = rulesOf<K, NonNullable<V>, A, R>(windower, fold);
  let dropped = 0;
  const steps = records.map((record) => {
    const arrival = arrivalOf(record as TestRecord<K, NonNullable<V>>);
    if (arrival === undefined) {
      dropped += 1;
      return [];
    }
    const updates = rules.add(arrival);
    const closed = rules.closed();
    return emit === 'updates' ? updates : closed;
  });
  const open = rules.open();
  rules.end();
  const closing = emit === 'updates' ? [] : rules.closed();
  return outcomeOf({ steps, closing, open, dropped: dropped + rules.dropped, late: rules.late });
}

function rulesOf<K, V, A, R>(
  windower: Exclude<Windower, CountWindower>,
  fold: ModelFold<V, A, R>,
): WindowRules<K, V, R> {
  switch (windower.kind) {
    case 'sliding':
      return new SlidingRules(windower, fold);
    case 'session':
      return new SessionRules(windower, fold);
    case 'tumbling':
    case 'hopping':
    case 'aligned':
    case 'unlimited':
      return new AlignedRules(windower, fold);
    default:
      throw new ConfigError('ERR_OPTION', 'windowByModel does not know windows of this kind', {
        hint: 'count windows are slices of the records of a key',
      });
  }
}
