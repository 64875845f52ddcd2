import { isObservable, type Observable, type OperatorFunction } from 'rxjs';
import type { Aggregator } from '../aggregators/aggregator.ts';
import { node } from '../dataflow/operator.ts';
import { adopted } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import type { JoinType } from '../joins/join-rules.ts';
import {
  mergedSides,
  NO_SIDES,
  type Side,
  type Sides,
  sidesSerde,
  valuesOf,
  withRecord,
} from '../joins/window-join.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { StreamRecord, Window, WindowedRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { closesAfterMs } from '../windows/closes-after.ts';
import type { AlignedWindower, PeriodicWindower, SessionWindower } from '../windows/windower.ts';
import type { State } from './aggregation.ts';
import type { Joined, JoinStreamOptions, OuterSides } from './join-stream.ts';
import { type CombineInWindow, windowJoining } from './join-window-instance.ts';
import { checkStoreName } from './keyed.ts';
import { planWindowing } from './windowing-plan.ts';
import { windowingStores } from './windowing-stores.ts';

/** Windows that records of two streams can share. @public */
export type SharedWindower = PeriodicWindower | AlignedWindower | SessionWindower;

/** Like the options of `joinStream`; the windows replace `within` and `grace`. @public */
export type JoinWindowOptions<P extends StreamRecord<unknown, unknown>, R, T extends JoinType = JoinType> = Pick<
  JoinStreamOptions<P, R, T>,
  'type' | 'late' | 'value'
> & {
  /** Name of the state store, unique in a pipeline. Keep it when the pipeline changes. */
  readonly store: string;
};

/** Like {@link Joined}, with the window of the row. @public */
export interface JoinedInWindow<K, L extends number | null = number, R extends number | null = number>
  extends Joined<K, L, R> {
  readonly window: Window;
}

type LeftValue<P extends StreamRecord<unknown, unknown>> = NonNullable<P['value']>;
type Key<P extends StreamRecord<unknown, unknown>> = NonNullable<P['key']>;

const OPTIONS = { store: true, type: true, late: true, value: true } as const;
const SIDES = { left: true, right: true } as const;

/** @public */
export function joinWindow<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  windower: SharedWindower,
  combine: (...sides: OuterSides<LeftValue<P>, NonNullable<R>>) => W,
  options: JoinWindowOptions<P, R, 'outer'> & { readonly type: 'outer' },
): OperatorFunction<P, WindowedRecord<Key<P>, W>>;
/** @public */
export function joinWindow<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  windower: SharedWindower,
  combine: (left: LeftValue<P>, right: NonNullable<R> | null, at: JoinedInWindow<Key<P>, number, number | null>) => W,
  options: JoinWindowOptions<P, R, 'left'> & { readonly type: 'left' },
): OperatorFunction<P, WindowedRecord<Key<P>, W>>;
/**
 * Combines records of two streams that have the same key and fall into the same window.
 *
 * ```text
 * joinWindow(payments, tumbling({ size: '10s', grace: '0s' }), (order, payment) => …, { store: 'paid', type: 'left' })
 *
 * orders    --a:1(1s)----------b:2(3s)-----------------------------c:3(12s)--|
 * payments  ---------a:x(2s)-----------a:y(9s)-------------------------------|
 * result    -----------------------------------a:1+x(2s)-a:1+y(9s)-b:2+null(3s)--|
 * ```
 *
 * When a window closes, each record of the left side is combined with each record of the right side. With overlapping
 * windows a pair is emitted for each window that has both. Sessions span both streams: records of either side extend
 * them. `left` and `outer` also emit the records of a window in which the other side has none, with `null`. All rows
 * are final.
 *
 * Windows close in the same order as in {@link windowBy}. Within a window, rows are ordered by the time of the left
 * record, then of the right one, then by arrival. A row has the later timestamp of the two, its window, and no headers.
 * Null keys and null values are dropped and counted, and do not advance stream time. Both sides share one stream time.
 * A record is late for windows that have closed: it is counted and passed to `late` of its side. Open windows and
 * stream time survive restarts. When a bounded run ends, open windows stay in the store, unless the run closes them. No
 * clock is read.
 *
 * The records of a key in a window are a single entry of the store, and there are as many rows as pairs. For many
 * records per key and window, use {@link joinStream}, which joins each record as it arrives.
 *
 * @param right - The other stream, with the same keys, key serde and number of partitions.
 * @param windower - `tumbling`, `hopping`, `session`, `calendar`, `cumulate` or `customWindows`.
 * @param combine - Returns the new value, given the two values; in inner and left joins `at` has the key, the window
 * and the two timestamps.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_ASYNC_FUNCTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`,
 * `ERR_KEY_SERDES`, `ERR_DUPLICATE_STORE`.
 *
 * @example
 * ```ts
 * import { joinWindow, json, string, to, topic, tumbling } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const views = topic('views', { key: string(), value: string() });
 * const clicks = topic('clicks', { key: string(), value: string() });
 * const pairs = topic('pairs', { key: string(), value: string() });
 * const minute = tumbling({ size: '1m', grace: '0s' });
 * const driver = new TestDriver(
 *   views.pipe(
 *     joinWindow(clicks, minute, (view, click, { window }) => `${view} ${click ?? 'unclicked'} in ${window.start}`, {
 *       store: 'seen',
 *       type: 'left',
 *     }),
 *     to(pairs),
 *   ),
 * );
 * driver.pipe(views, { key: 'ada', value: 'tea', timestamp: 1_000 });
 * driver.pipe(clicks, { key: 'ada', value: 'buys', timestamp: 50_000 });
 * driver.pipe(views, { key: 'bob', value: 'milk', timestamp: 59_000 });
 * driver.pipe(views, { key: 'bob', value: 'tea', timestamp: 61_000 });
 * console.log(driver.read(pairs).map(({ value }) => value).join(', '));
 * // => tea buys in 0, milk unclicked in 0
 * ```
 * @public
 */
// If no overload matches, the compiler explains the last one, so the most common one comes last.
export function joinWindow<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  windower: SharedWindower,
  combine: (left: LeftValue<P>, right: NonNullable<R>, at: JoinedInWindow<Key<P>>) => W,
  options: JoinWindowOptions<P, R, 'inner'>,
): OperatorFunction<P, WindowedRecord<Key<P>, W>>;
export function joinWindow<K, R, P extends StreamRecord<K | null, unknown>, W>(
  right: Observable<StreamRecord<K | null, R>>,
  windower: SharedWindower,
  combine: (...sides: never) => W,
  options: JoinWindowOptions<P, R>,
): OperatorFunction<P, WindowedRecord<Key<P>, W>> {
  checkStream(right);
  checkNames('joinWindow', options ?? {}, OPTIONS);
  const name = checkStoreName(options?.store, 'joinWindow');
  const where = `joinWindow(${name})`;
  checkWork(
    where,
    combine,
    "joinWindow(clicks, tumbling({ … }), (view, click) => ({ view, click }), { store: 'seen' })",
  );
  const { late = {}, type = 'inner', value = {} } = options;
  checkOneOf(where, 'type', type, ['inner', 'left', 'outer']);
  checkNames(`${where}: late`, late, SIDES);
  checkNames(`${where}: value`, value, SIDES);
  let side: Side = 'left';
  const aggregator: Aggregator<unknown, Sides, unknown, null> = {
    name: 'joinWindow',
    init: () => NO_SIDES,
    add: (sides, added, { timestamp }) => withRecord(sides, side, added, timestamp),
    merge: mergedSides,
    result: valuesOf,
    state: sidesSerde(value.left as Serde<unknown> | undefined, value.right as Serde<unknown> | undefined),
  };
  const windowing = planWindowing<unknown, unknown>(
    'joinWindow',
    name,
    windower,
    aggregator as unknown as Aggregator<unknown, State, unknown, null>,
  );
  checkShared(where, windower);
  const plan = {
    windowing,
    type,
    combine: combine as unknown as CombineInWindow,
    from(of: Side) {
      side = of;
    },
  };
  const ports = { left: 'late left', right: 'late right' };
  return (source: Observable<P>) => {
    const self = adopted<unknown>(source) === adopted<unknown>(right);
    return node<never, WindowedRecord<Key<P>, W>>(self ? [source] : [source, right], {
      name: 'joinWindow',
      detail: name,
      keepsTime: true,
      waits: true,
      mayBeLate: true,
      needsKey: true,
      closesAfterMs: closesAfterMs(windower),
      stores: windowingStores(windowing),
      ports: Object.values(ports),
      roots: (port) => [
        ...(late.left === undefined ? [] : [late.left(port(ports.left))]),
        ...(late.right === undefined ? [] : [late.right(port(ports.right))]),
      ],
      create: (step) => windowJoining(step, plan, self, ports),
    });
  };
}

/** @throws ConfigError `ERR_OPTION` */
function checkStream(right: unknown): void {
  if (isObservable(right)) return;
  throw new ConfigError('ERR_OPTION', `joinWindow(…) was given ${show(right)} instead of a stream`, {
    hint: 'give it a stream, such as a topic; to join a table, use joinTable(…)',
  });
}

/** @throws ConfigError `ERR_OPTION` */
function checkShared(where: string, { kind }: { readonly kind: string }): void {
  if (kind !== 'sliding' && kind !== 'count') return;
  throw new ConfigError('ERR_OPTION', `${where}: records of two streams do not share ${kind} windows`, {
    hint: "to join records that are close to each other, use joinStream(…, { within: '10s' })",
  });
}
