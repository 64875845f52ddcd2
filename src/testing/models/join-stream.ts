import type { JoinType } from '../../joins/join-rules.ts';
import { type Duration, durationMs } from '../../options/duration.ts';
import type { TestRecord } from '../test-driver.ts';
import { byKey, type ModelOutcome, type ModelOutput, outcomeOf, sameKey, signedMs } from './model.ts';

/** A record of one side of a join; `both` for a stream that is joined with itself. @public */
export type SidedRecord<K, L, R> =
  | (TestRecord<K, L> & { readonly side: 'left' })
  | (TestRecord<K, R> & { readonly side: 'right' })
  | (TestRecord<K, L & R> & { readonly side: 'both' });

/** Like the options of `joinStream`. @public */
export interface JoinStreamModelOptions {
  readonly within: Duration | { readonly before: Duration; readonly after: Duration };
  readonly grace: Duration;
  readonly type?: JoinType;
}

/** A record that is kept. */
interface Kept<K> {
  readonly side: 'left' | 'right';
  readonly key: NonNullable<K>;
  readonly value: unknown;
  readonly timestamp: number;
  /** Whether it has a partner or its row has been emitted. */
  settled: boolean;
}

/**
 * The output of `joinStream`, in plain code: it keeps every record for ever and compares each new record with all of
 * them.
 *
 * @param combine - Makes the value of a row from the two values; `null` for a missing partner.
 * @param records - The records of both streams in order of arrival; with `side: 'both'` for a stream joined with
 * itself.
 *
 * @example
 * ```ts
 * import { joinStreamModel } from 'millrace/testing/models';
 *
 * const { rows } = joinStreamModel({ within: '10s', grace: '0s', type: 'left' }, (order, payment) => `${order} ${payment}`, [
 *   { side: 'left', key: 'a', value: 'coffee', timestamp: 1_000 },
 *   { side: 'right', key: 'a', value: 'paid', timestamp: 4_000 },
 *   { side: 'left', key: 'b', value: 'tea', timestamp: 5_000 },
 * ]);
 * console.log(rows.map(({ value }) => value).join(', ')); // => coffee paid, tea null
 * ```
 * @public
 */
export function joinStreamModel<K, L, R, W>(
  options: JoinStreamModelOptions,
  combine: (left: NonNullable<L> | null, right: NonNullable<R> | null) => W,
  records: readonly SidedRecord<K, L, R>[],
): ModelOutcome<K, W> {
  const join = new Join<K, W>(options, combine as (left: unknown, right: unknown) => W);
  const steps = records.map(({ side, ...record }) => {
    if (side !== 'both') return join.take(record, side);
    return [...join.take(record, 'left'), ...join.take(record, 'right')];
  });
  return outcomeOf({ steps, closing: join.end(), dropped: join.dropped, late: join.late });
}

class Join<K, W> {
  dropped = 0;
  late = 0;
  readonly #type: JoinType;
  readonly #before: number;
  readonly #after: number;
  readonly #grace: number;
  readonly #combine: (left: unknown, right: unknown) => W;
  readonly #kept: Kept<K>[] = [];
  #streamTime = -1;

  constructor(
    { grace, type = 'inner', within }: JoinStreamModelOptions,
    combine: (left: unknown, right: unknown) => W,
  ) {
    const { after, before } = typeof within === 'string' ? { before: within, after: within } : within;
    this.#type = type;
    this.#before = signedMs(before, 'before');
    this.#after = signedMs(after, 'after');
    this.#grace = durationMs(grace, 'grace');
    this.#combine = combine;
  }

  take({ key = null, timestamp = 0, value }: TestRecord<K, unknown>, side: 'left' | 'right'): ModelOutput<K, W>[] {
    if (value === null || (key === null && !this.#padsAlone(side))) {
      this.dropped += 1;
      return [];
    }
    if (key === null) return [this.#alone({ side, value, timestamp }, null)];
    const ahead = side === 'left' ? this.#after : this.#before;
    // A record that is as new as stream time is never late.
    if (timestamp <= this.#streamTime && this.#streamTime > timestamp + Math.max(0, ahead) + this.#grace) {
      this.late += 1;
      return [];
    }
    this.#streamTime = Math.max(this.#streamTime, timestamp);
    const rows = this.#overdue();
    const partners = this.#kept
      .filter(
        (other) => other.side !== side && sameKey(other.key, key) && this.#match(side, timestamp, other.timestamp),
      )
      .sort((one, other) => one.timestamp - other.timestamp);
    for (const partner of partners) {
      partner.settled = true;
      const [left, right] = side === 'left' ? [value, partner.value] : [partner.value, value];
      rows.push({ key, value: this.#combine(left, right), timestamp: Math.max(timestamp, partner.timestamp) });
    }
    this.#kept.push({ side, key: key as NonNullable<K>, value, timestamp, settled: partners.length > 0 });
    return [...rows, ...this.#overdue()];
  }

  end(): ModelOutput<K, W>[] {
    this.#streamTime = Number.POSITIVE_INFINITY;
    return this.#overdue();
  }

  /**
   * Rows of records for which no partner can arrive any more, ordered by time, those of the right side first, then by
   * key.
   */
  #overdue(): ModelOutput<K, W>[] {
    const over = this.#kept.filter(({ settled, side, timestamp }) => {
      const last = timestamp + (side === 'left' ? this.#after : this.#before) + this.#grace;
      return !settled && this.#padsAlone(side) && this.#streamTime > last;
    });
    const bySide = (one: Kept<K>, other: Kept<K>): number =>
      Number(one.side === 'left') - Number(other.side === 'left');
    over.sort((one, other) => one.timestamp - other.timestamp || bySide(one, other) || byKey(one, other));
    for (const each of over) each.settled = true;
    return over.map((each) => this.#alone(each, each.key));
  }

  #match(side: 'left' | 'right', own: number, other: number): boolean {
    const [left, right] = side === 'left' ? [own, other] : [other, own];
    return left - this.#before <= right && right <= left + this.#after;
  }

  #padsAlone(side: 'left' | 'right'): boolean {
    return this.#type === 'outer' || (this.#type === 'left' && side === 'left');
  }

  #alone({ side, timestamp, value }: Omit<Kept<K>, 'key' | 'settled'>, key: K | null): ModelOutput<K, W> {
    return { key, value: side === 'left' ? this.#combine(value, null) : this.#combine(null, value), timestamp };
  }
}
