import type { Observable, OperatorFunction } from 'rxjs';
import { node } from '../dataflow/operator.ts';
import { adopted } from '../dataflow/stream.ts';
import type { JoinType } from '../joins/join-rules.ts';
import type { Duration } from '../options/duration.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { joiningInstance } from './join-stream-instance.ts';
import { planJoin } from './join-stream-plan.ts';

/**
 * How to join two streams. @typeParam P - Records of the left side. @typeParam R - Values of the right side. @public
 */
export interface JoinStreamOptions<P extends StreamRecord<unknown, unknown>, R, T extends JoinType = JoinType> {
  /**
   * Name of the state stores, unique in a pipeline; further stores have the suffixes `-left` and `-right`. Keep the
   * name when the pipeline changes.
   */
  readonly store: string;
  /**
   * How far apart records may be: `left.timestamp − before <= right.timestamp <= left.timestamp + after`, both ends
   * inclusive. A single duration applies to both. A negative one requires a distance: `{ before: '-5s', after: '1m' }`
   * matches records of the right side that are 5 seconds to a minute later.
   */
  readonly within: Duration | { readonly before: Duration; readonly after: Duration };
  /** How long after the end of its window a record is still accepted, in stream time. */
  readonly grace: Duration;
  /**
   * `inner` (default): only pairs. `left`: also records of the left side without a partner, with `null`. `outer`: also
   * those of both sides.
   */
  readonly type?: T;
  /** What to do with late records besides counting them: separate pipelines in the same stage, by side. */
  readonly late?: {
    readonly left?: (late: Observable<LateRecord<P['key'], NonNullable<P['value']>>>) => Observable<unknown>;
    readonly right?: (late: Observable<LateRecord<P['key'], NonNullable<R>>>) => Observable<unknown>;
  };
  /** How values are stored, by side (default: MessagePack). */
  readonly value?: { readonly left?: Serde<NonNullable<P['value']>>; readonly right?: Serde<NonNullable<R>> };
}

/** What a join knows about the two records besides their values. `null` stands for a missing partner. @public */
export interface Joined<K, L extends number | null = number, R extends number | null = number> {
  readonly key: K;
  /** Timestamp of the left record. */
  readonly left: L;
  /** Timestamp of the right record. */
  readonly right: R;
}

/**
 * The values passed to the function of an outer join: two values, or one of them and `null`. Checking one for null
 * narrows the other.
 *
 * @public
 */
export type OuterSides<L, R> = [left: L, right: R] | [left: L, right: null] | [left: null, right: R];

type LeftValue<P extends StreamRecord<unknown, unknown>> = NonNullable<P['value']>;
type Key<P extends StreamRecord<unknown, unknown>> = NonNullable<P['key']>;

/** @public */
export function joinStream<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  combine: (...sides: OuterSides<LeftValue<P>, NonNullable<R>>) => W,
  options: JoinStreamOptions<P, R, 'outer'> & { readonly type: 'outer' },
): OperatorFunction<P, StreamRecord<P['key'], W>>;
/** @public */
export function joinStream<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  combine: (left: LeftValue<P>, right: NonNullable<R> | null, at: Joined<P['key'], number, number | null>) => W,
  options: JoinStreamOptions<P, R, 'left'> & { readonly type: 'left' },
): OperatorFunction<P, StreamRecord<P['key'], W>>;
/**
 * Combines records of two streams that have the same key and are close to each other in event time.
 *
 * ```text
 * joinStream(payments, (order, payment) => …, { store: 'paid', within: '10s', grace: '5s', type: 'left' })
 *
 * orders    --a:1(0s)-----------b:2(2s)--------------------------------c:3(18s)--|
 * payments  -----------a:x(4s)-----------------------------------------------------|
 * result    -----------a:1+x(4s)---------------------------------b:2+null(2s)-----|
 * ```
 *
 * Each pair is emitted once, when the second of its records arrives. A record with several partners emits the pairs in
 * order of the partners' timestamps. Two records with the same key and timestamp are still two records. Both sides
 * share one stream time.
 *
 * A record is late if stream time has passed the end of its window plus grace: it is counted, goes to `late`, and has
 * no other effect. A record that is as new as stream time is never late. A row without a partner (`left`, `outer`) is
 * final: it is emitted when the record's window and grace are over, before the output of the record that advanced
 * stream time, with the record's own timestamp and no headers. Such rows are emitted in order of timestamp, those of
 * the right side first, then of key bytes. No clock is read.
 *
 * A null value is dropped and counted. So is a null key, unless its side may be without a partner: then its row is
 * emitted at once. Neither advances stream time. Records are kept as long as a partner can still arrive; they survive
 * restarts. When a bounded run ends they stay in the store, unless the run closes windows.
 *
 * A stream joined with itself stores its records once; a record is its own partner if the bounds include a distance of
 * zero.
 *
 * Both streams must have the same number of partitions, which is checked when the application starts; a `through`
 * adopts that number.
 *
 * @param right - The other stream, with the same keys and key serde.
 * @param combine - Returns the new value, given the two values; in inner and left joins `at` has the key and the two
 * timestamps.
 * @param options - `store`, `within` and `grace` are required. You can change bounds and grace later: they apply to
 * records that arrive from then on.
 * @returns Records with the same key, the later timestamp of the two, and the headers of the record that arrived last.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_DURATION`, `ERR_WINDOW_SIZE` for bounds with nothing between them, `ERR_OPTION`;
 * when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_KEY_SERDES`, `ERR_DUPLICATE_STORE`.
 *
 * @example
 * ```ts
 * import { joinStream, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
 * const payments = topic('payments', { key: string(), value: json<{ amount: number }>() });
 * const results = topic('results', { key: string(), value: string() });
 * const driver = new TestDriver(
 *   orders.pipe(
 *     joinStream(payments, (order, payment) => `${payment?.amount ?? 0} of ${order.total}`, {
 *       store: 'paid-orders',
 *       within: { before: '0s', after: '10s' },
 *       grace: '5s',
 *       type: 'left',
 *     }),
 *     to(results),
 *   ),
 * );
 * driver.pipe(orders, { key: 'a', value: { total: 7 }, timestamp: 0 });
 * driver.pipe(orders, { key: 'b', value: { total: 9 }, timestamp: 2_000 });
 * driver.pipe(payments, { key: 'a', value: { amount: 7 }, timestamp: 4_000 });
 * driver.pipe(orders, { key: 'c', value: { total: 5 }, timestamp: 18_000 });
 * console.log(driver.read(results).map(({ key, value }) => `${key}: ${value}`).join(', '));
 * // => a: 7 of 7, b: 0 of 9
 * ```
 * @public
 */
// If no overload matches, the compiler explains the last one, so the most common one comes last.
export function joinStream<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  combine: (left: LeftValue<P>, right: NonNullable<R>, at: Joined<Key<P>>) => W,
  options: JoinStreamOptions<P, R, 'inner'>,
): OperatorFunction<P, StreamRecord<Key<P>, W>>;
export function joinStream<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  combine: (...sides: never) => W,
  options: JoinStreamOptions<P, R>,
): OperatorFunction<P, StreamRecord<P['key'], W>> {
  const plan = planJoin<W>(right, combine, options);
  const { late } = options;
  return (source: Observable<P>) => {
    const self = adopted<unknown>(source) === adopted<unknown>(right);
    const ports = { left: 'late left', right: 'late right' };
    return node<never, StreamRecord<P['key'], W>>(self ? [source] : [source, right], {
      name: 'joinStream',
      keepsTime: true,
      mayBeLate: true,
      waits: plan.rules.type !== 'inner',
      detail: plan.name,
      needsKey: true,
      stores: plan.stores(self),
      ports: Object.values(ports),
      roots: (port) => [
        ...(late?.left === undefined ? [] : [late.left(port(ports.left))]),
        ...(late?.right === undefined ? [] : [late.right(port(ports.right))]),
      ],
      create: (step) => joiningInstance<P['key'], W>(step, plan, self, ports),
    });
  };
}
