import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from '../serdes/bytes.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { memoryStores } from './memory-backend.ts';
import { msgpackCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

type Step =
  | { readonly do: 'put' | 'clear' | 'get'; readonly window: number; readonly key: number; readonly value: number }
  | { readonly do: 'take'; readonly window: number }
  | { readonly do: 'time'; readonly by: number }
  | { readonly do: 'collect' | 'land' | 'crash' | 'look' };

const window = fc.nat({ max: 3 });
const key = fc.nat({ max: 4 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('put' as const, 'put' as const, 'clear' as const, 'get' as const),
        window,
        key,
        value: fc.nat(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), window }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('time' as const), by: fc.nat() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('collect' as const, 'land' as const, 'look' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  ),
  { maxLength: 80 },
);

/** Window starts on both sides of the 32-bit border. */
const STARTS = [0, 10, 2 ** 32 - 1, 2 ** 40];

interface Model {
  /** By window start, then by key; `null` where the aggregator deleted the state. */
  readonly panes: Map<number, Map<number, { value: number; timestamp: number }>>;
  streamTime: number;
}

const copy = ({ panes, streamTime }: Model): Model => ({
  panes: new Map([...panes].map(([start, group]) => [start, new Map(group)])),
  streamTime,
});

function check<K>(
  serde: Serde<K>,
  keys: readonly NonNullable<K>[],
  cacheEntries: number,
  script: readonly Step[],
): void {
  const backend = memoryStores();
  const id = { applicationId: 'app', store: 's', partition: 0 };
  const open = (): WindowStore<K, number> =>
    new WindowStore(
      backend.open(id),
      serde,
      msgpackCodec<number>('s'),
      cacheEntries,
      (value, start) => ({
        value,
        window: { start, end: start + 10 },
      }),
      { limit: Number.POSITIVE_INFINITY },
    );
  let store = open();
  let model: Model = { panes: new Map(), streamTime: -1 };
  let durable = copy(model);
  let flight: { writes: StoreWrites[]; model: Model } | undefined;
  /** A closed window is never opened again before the next start of the process. */
  let taken = new Set<number>();
  const land = (): void => {
    if (flight === undefined) return;
    backend.apply(flight.writes);
    durable = flight.model;
    flight = undefined;
    store.committed();
  };
  const rowsOf = (start: number): { key: NonNullable<K>; value: number; timestamp: number }[] =>
    [...(model.panes.get(start) ?? [])]
      .map(([at, row]) => ({ key: keys[at] as NonNullable<K>, ...row }))
      .sort((left, right) => compareBytes(serde.serialize(left.key), serde.serialize(right.key)));
  for (const step of [...script, { do: 'land' } as const, { do: 'look' } as const]) {
    if (step.do === 'put' || step.do === 'clear' || step.do === 'get') {
      const start = STARTS[step.window] as number;
      if (taken.has(start)) continue;
      const pane = store.pane(start, keys[step.key] as NonNullable<K>);
      const known = model.panes.get(start)?.get(step.key);
      expect(pane.state).toBe(known?.value);
      if (known !== undefined) expect(pane.timestamp).toBe(known.timestamp);
      if (step.do === 'get') continue;
      pane.state = step.do === 'put' ? step.value : undefined;
      pane.timestamp = start + step.key;
      store.touch(pane, start);
      const group = model.panes.get(start) ?? new Map<number, { value: number; timestamp: number }>();
      model.panes.set(start, group);
      if (step.do === 'put') group.set(step.key, { value: step.value, timestamp: pane.timestamp });
      else group.delete(step.key);
    } else if (step.do === 'take') {
      const start = STARTS[step.window] as number;
      const panes = store
        .take(start)
        .map(({ key: each, state, timestamp }) => ({ key: each, value: state, timestamp }));
      expect(panes).toEqual(rowsOf(start));
      model.panes.delete(start);
      taken.add(start);
    } else if (step.do === 'time') {
      model.streamTime = Math.max(model.streamTime, step.by);
      store.time.observe(step.by);
    } else if (step.do === 'collect') {
      land();
      const writes: StoreWrites[] = [];
      store.collect(writes);
      flight = { writes, model: copy(model) };
    } else if (step.do === 'land') {
      land();
    } else if (step.do === 'crash') {
      flight = undefined;
      model = copy(durable);
      taken = new Set();
      store = open();
      expect(store.time.streamTime).toBe(model.streamTime);
      const open_ = [...model.panes].filter(([, group]) => group.size > 0).map(([start]) => start);
      expect([...store.starts()].sort((left, right) => left - right)).toEqual(
        open_.sort((left, right) => left - right),
      );
    } else if (flight === undefined) {
      const rows = [...model.panes.keys()]
        .sort((left, right) => left - right)
        .flatMap((start) => rowsOf(start).map((row) => ({ ...row, window: { start, end: start + 10 } })));
      expect([...store.entries()]).toEqual(rows);
    }
  }
  // What is left in the bytes is what is open, and the stream time.
  const left = [...backend.open(id).range()].length;
  const open_ = [...model.panes.values()].reduce((sum, group) => sum + group.size, 0);
  const writes: StoreWrites[] = [];
  store.collect(writes);
  if (writes.length === 0) expect(left).toBe(open_ + (model.streamTime === -1 ? 0 : 1));
}

describe('window store', () => {
  it('is a map of maps with a stream time, whatever is committed, evicted, taken and reopened', () => {
    const texts = ['a', 'é', '\uFF21', '\u{1F600}', ''];
    const blobs = [[], [0], [255], [255, 0], [0, 0]].map((each) => Uint8Array.from(each));
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 3, 1000), steps, (cacheEntries, script) => {
        check(string(), texts, cacheEntries, script);
        check(bytes(), blobs, cacheEntries, script);
      }),
      { numRuns: 500 },
    );
  });
});
