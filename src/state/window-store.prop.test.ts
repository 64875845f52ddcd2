import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../record.ts';
import { bytes } from '../serdes/bytes.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { memoryStores } from './memory-backend.ts';
import { NUMBER_BYTES } from './numbers.ts';
import { TIME_KEY } from './step-time.ts';
import { readStore } from './store-reader.ts';
import { msgpackCodec } from './value-codec.ts';
import { WindowStore } from './window-store.ts';

type Step =
  | { readonly do: 'put' | 'clear' | 'get'; readonly window: number; readonly key: number; readonly value: number }
  | { readonly do: 'take'; readonly window: number }
  | { readonly do: 'time'; readonly by: number }
  | { readonly do: 'collect' | 'land' | 'crash' | 'look' };

const window = fc.nat({ max: 4 });
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

/** Windows on both sides of the 32-bit border, some of which begin or end together. */
const WINDOWS: readonly Window[] = [
  { start: 0, end: 10 },
  { start: 0, end: 20 },
  { start: 10, end: 20 },
  { start: 2 ** 32 - 1, end: 2 ** 32 + 9 },
  { start: 2 ** 40, end: 2 ** 40 + 10 },
];
/** All as long as stores without ends need it. */
const ALIKE: readonly Window[] = [0, 10, 25, 2 ** 32 - 1, 2 ** 40].map((start) => ({ start, end: start + 10 }));

interface Model {
  /** By index of the window, then by key. */
  readonly panes: Map<number, Map<number, { value: number; timestamp: number }>>;
  streamTime: number;
}

const copy = ({ panes, streamTime }: Model): Model => ({
  panes: new Map([...panes].map(([at, group]) => [at, new Map(group)])),
  streamTime,
});

function check<K>(
  serde: Serde<K>,
  keys: readonly NonNullable<K>[],
  cacheEntries: number,
  script: readonly Step[],
  withoutEnds: boolean,
): void {
  const backend = memoryStores();
  const windows = withoutEnds ? ALIKE : WINDOWS;
  const id = { applicationId: 'app', store: 's', partition: 0 };
  // All that a store from before ends were kept is known by: it has a time, and nothing says what it is.
  if (withoutEnds) backend.apply([{ id, keys: [TIME_KEY], values: [new Uint8Array(NUMBER_BYTES)] }]);
  const open = (): WindowStore<K, number> =>
    new WindowStore(backend.open(id), {
      key: serde,
      codec: msgpackCodec<number>('s'),
      cacheEntries,
      present: (value) => value,
      limit: { limit: Number.POSITIVE_INFINITY },
      sizeMs: 10,
    });
  let store = open();
  let model: Model = { panes: new Map(), streamTime: withoutEnds ? 0 : -1 };
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
  const rowsOf = (window: number): { key: NonNullable<K>; value: number; timestamp: number }[] =>
    [...(model.panes.get(window) ?? [])]
      .map(([at, row]) => ({ key: keys[at] as NonNullable<K>, ...row }))
      .sort((left, right) => compareBytes(serde.serialize(left.key), serde.serialize(right.key)));
  const byStart = (left: Window, right: Window): number => left.start - right.start || left.end - right.end;
  for (const step of [...script, { do: 'land' } as const, { do: 'look' } as const]) {
    if (step.do === 'put' || step.do === 'clear' || step.do === 'get') {
      if (taken.has(step.window)) continue;
      const { end, start } = windows[step.window] as Window;
      const pane = store.pane(start, end, keys[step.key] as NonNullable<K>);
      const known = model.panes.get(step.window)?.get(step.key);
      expect(pane.state).toBe(known?.value);
      if (known !== undefined) expect(pane.timestamp).toBe(known.timestamp);
      if (step.do === 'get') continue;
      pane.state = step.do === 'put' ? step.value : undefined;
      pane.timestamp = start + step.key;
      store.touch(pane);
      const group = model.panes.get(step.window) ?? new Map<number, { value: number; timestamp: number }>();
      model.panes.set(step.window, group);
      if (step.do === 'put') group.set(step.key, { value: step.value, timestamp: pane.timestamp });
      else group.delete(step.key);
    } else if (step.do === 'take') {
      const panes = store
        .take(windows[step.window] as Window)
        .map(({ key: each, state, timestamp }) => ({ key: each, value: state, timestamp }));
      expect(panes).toEqual(rowsOf(step.window));
      model.panes.delete(step.window);
      taken.add(step.window);
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
      const open_ = [...model.panes].filter(([, group]) => group.size > 0).map(([at]) => windows[at] as Window);
      expect(store.endedBy(Number.POSITIVE_INFINITY)).toEqual(open_.sort(byStart));
    } else {
      const { cached } = store.describe();
      const rows = [...model.panes.keys()]
        .sort((left, right) => byStart(windows[left] as Window, windows[right] as Window))
        .flatMap((at) => rowsOf(at).map((row) => ({ ...row, window: windows[at] })));
      expect([...store.entries()]).toEqual(rows);
      const spec = {
        name: 's',
        kind: 'window',
        key: serde,
        value: msgpackCodec<number>('s'),
        sizeMs: 10,
        fingerprint: 't',
      } as const;
      const reader = readStore(spec, store.view());
      expect([...reader.range()]).toEqual(rows);
      expect([...reader.range(10, 2 ** 32)]).toEqual(
        rows.filter(({ window: { start } = { start: 0 } }) => start >= 10 && start <= 2 ** 32),
      );
      for (const [at, each] of keys.entries()) {
        const own = rows.filter(({ key: other }) => compareBytes(serde.serialize(other), serde.serialize(each)) === 0);
        expect([...reader.windowsOf(each)]).toEqual(own);
        const first = windows[at] as Window;
        expect(reader.get(each, first)).toEqual(own.find(({ window: there }) => there === first));
      }
      expect(store.describe().cached, 'looking grows no cache').toBe(cached);
    }
  }
  // What is left in the bytes is what is open, the stream time, and what the store is.
  const left = [...backend.open(id).range()].length;
  const open_ = [...model.panes.values()].reduce((sum, group) => sum + group.size, 0);
  const writes: StoreWrites[] = [];
  store.collect(writes);
  if (writes.length === 0 && left > 0) {
    expect(left - open_).toBe((model.streamTime === -1 ? 0 : 1) + (withoutEnds ? 0 : 1));
  }
}

describe('window store', () => {
  it('is a map of maps with a stream time, whatever is committed, evicted, taken and reopened', () => {
    const texts = ['a', 'é', '\uFF21', '\u{1F600}', ''];
    const blobs = [[], [0], [255], [255, 0], [0, 0]].map((each) => Uint8Array.from(each));
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 3, 1000), steps, fc.boolean(), (cacheEntries, script, withoutEnds) => {
        check(string(), texts, cacheEntries, script, withoutEnds);
        check(bytes(), blobs, cacheEntries, script, withoutEnds);
      }),
      { numRuns: 500 },
    );
  });
});
