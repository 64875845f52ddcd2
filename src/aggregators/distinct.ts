import { checkWork, settled } from '../options/promises.ts';
import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import type { Aggregator } from './aggregator.ts';

/** Values that can be compared by `===`, apart from NaN. @public */
export type Distinguishable = string | number | boolean | bigint;

/**
 * The first `size` values of a map. States share the map: the newest one adds to it, and older ones do not see the
 * addition. So a state never changes, yet adding a value copies nothing.
 */
interface Seen {
  readonly places: Map<Distinguishable, number>;
  readonly size: number;
}

function added(state: Seen, value: Distinguishable): Seen {
  const place = state.places.get(value);
  if (place !== undefined && place < state.size) return state;
  const { size } = state;
  // Another state has already added to the shared map, so this one continues with a copy.
  const places = state.places.size === size ? state.places : new Map([...state.places].slice(0, size));
  places.set(value, size);
  return { places, size: size + 1 };
}

const NOTHING = (): Seen => ({ places: new Map(), size: 0 });

function seenSerde(): Serde<Seen> {
  const list = msgpack<readonly Distinguishable[]>();
  return {
    name: 'distinct',
    serialize: ({ places, size }) => list.serialize([...places.keys()].slice(0, size)),
    deserialize: (bytes) => list.deserialize(bytes).reduce(added, NOTHING()),
  };
}

/**
 * Counts distinct values exactly. It keeps all of them, so use it for thousands of values per key, not millions. Values
 * are compared by `===`, and all NaN count as one value.
 *
 * @param of - Picks the value.
 * @returns An aggregator whose result is their number.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<{ user: string }>() });
 * const visitors = topic('visitors', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   clicks.pipe(
 *     aggregate(
 *       agg.distinct((click) => click.user),
 *       { store: 'visitors' },
 *     ),
 *     to(visitors),
 *   ),
 * );
 * for (const user of ['ada', 'bob', 'ada']) driver.pipe(clicks, { key: '/', value: { user } });
 * console.log(driver.read(visitors).at(-1)?.value);
 * // => 2
 * ```
 * @public
 */
export function distinct<V>(of: (value: V) => Distinguishable): Aggregator<V, unknown, number> {
  checkWork('agg.distinct', of, 'agg.distinct((click) => click.user)');
  const aggregator: Aggregator<V, Seen, number> = {
    name: 'distinct',
    init: NOTHING,
    add: (state, value) => added(state, settled(of(value))),
    merge: (left, right) => [...right.places.keys()].slice(0, right.size).reduce(added, left),
    result: (state) => state.size,
    state: seenSerde(),
  };
  return aggregator as unknown as Aggregator<V, unknown, number>;
}
