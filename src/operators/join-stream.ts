import type { Observable, OperatorFunction } from 'rxjs';
import { node } from '../dataflow/operator.ts';
import { adopted } from '../dataflow/stream.ts';
import type { JoinType } from '../joins/join-rules.ts';
import type { Duration } from '../options/duration.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { joiningInstance } from './join-stream-instance.ts';
import { planJoin } from './join-stream-plan.ts';

/** How two streams are joined. @typeParam P - Records of the left side. @typeParam R - Values of the right side. @public */
export interface JoinStreamOptions<P extends StreamRecord<unknown, unknown>, R, T extends JoinType = JoinType> {
  /** Name of the state stores, unique in a pipeline; they are called so, with `-left` and `-right`. Keep it. */
  readonly store: string;
  /**
   * How far apart records may be: `left.timestamp − before <= right.timestamp <= left.timestamp + after`, both ends
   * included. One duration is for both. A negative one keeps a distance: `{ before: '-5s', after: '1m' }` takes records of
   * the right side that are 5 seconds to a minute later.
   */
  readonly within: Duration | { readonly before: Duration; readonly after: Duration };
  /** How long after the end of its window a record is still taken, in stream time. */
  readonly grace: Duration;
  /**
   * `inner` (default): pairs. `left`: also records of the left side for which no partner came, with `null`. `outer`: those of
   * both sides.
   */
  readonly type?: T;
  /** What to do with late records, beside counting them: pipelines of their own inside the same stage, by side. */
  readonly late?: {
    readonly left?: (late: Observable<LateRecord<P['key'], NonNullable<P['value']>>>) => Observable<unknown>;
    readonly right?: (late: Observable<LateRecord<P['key'], NonNullable<R>>>) => Observable<unknown>;
  };
  /** How the values are kept, by side; as MessagePack where left out. */
  readonly value?: { readonly left?: Serde<NonNullable<P['value']>>; readonly right?: Serde<NonNullable<R>> };
}

/** What a join knows of the two records beside their values. `null` stands for a partner that did not come. @public */
export interface Joined<K, L extends number | null = number, R extends number | null = number> {
  readonly key: K;
  /** Timestamp of the left record. */
  readonly left: L;
  /** Timestamp of the right record. */
  readonly right: R;
}

/**
 * What a function of an outer join is given: two values, or one of them and `null`. To look at one for null tells of the other.
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
 * Combines records of two streams that have the same key and lie near each other in time.
 *
 * ```text
 * joinStream(payments, (order, payment) => …, { store: 'paid', within: '10s', grace: '5s', type: 'left' })
 *
 * orders    --a:1(0s)-----------b:2(2s)--------------------------------c:3(18s)--|
 * payments  -----------a:x(4s)-----------------------------------------------------|
 * result    -----------a:1+x(4s)---------------------------------b:2+null(2s)-----|
 * ```
 *
 * Each pair comes once, with the later one of its records; a record with several partners gives them in the order of their
 * timestamps. The same key and timestamp twice are two records. Both sides share one stream time.
 *
 * A record is late when stream time is beyond the end of its window plus grace: it is counted, goes to `late`, and nothing else
 * comes of it. A record that is as new as stream time is never late. A row without a partner (`left`, `outer`) is final: it comes when the
 * record's window and grace are over, before whatever the record brings that moved time there, with the record's own
 * timestamp and no headers. Such rows come by timestamp, those of the right side first, then by key bytes. No clock is read.
 *
 * A null value is dropped and counted. So is a null key, unless its side may stay alone: then it does at once. Neither moves
 * time. Records are kept as long as a partner can come for them; they, and what waits, survive restarts. When a bounded run
 * ends they stay, unless it was told to close windows.
 *
 * A stream joined with itself keeps its records once; a record is a partner of itself where the bounds have room for that.
 *
 * Both streams have the same number of partitions, checked when the application starts; a `through` adopts that number.
 *
 * @param right - The other stream, keyed as this one is, in the same serde.
 * @param combine - The new value, of the two values; in inner and left joins `at` has the key and the two timestamps.
 * @param options - `store`, `within` and `grace` are required. Bounds and grace may be changed later: they are then for the
 * records that come.
 * @returns Records with the same key and the later timestamp of the two, and the headers of that record which came last.
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
// The compiler explains the last overload when none fits, so the most common one stands last.
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
