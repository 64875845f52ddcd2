import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { string } from '../serdes/string.ts';
import type { StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { memoryStores } from './memory-backend.ts';
import { type TimerKind, TimerStore } from './timer-store.ts';

const KEYS = ['', 'a', 'ab', 'b', 'a\0', 'é'];
/** The third fires on another clock. */
const KINDS: ReadonlyMap<string, TimerKind> = new Map([
  ['x', 'stream-time'],
  ['xy', 'stream-time'],
  ['x2', 'wall-clock'],
]);
const NAMES = [...KINDS.keys()];

const at = { key: fc.nat({ max: KEYS.length - 1 }), name: fc.nat({ max: NAMES.length - 1 }) };
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('set', 'add', 'cancel'), time: fc.nat({ max: 20 }), ...at }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('keep', 'undo'), time: fc.constant(0), ...at }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fire'), time: fc.nat({ max: 20 }), ...at }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('collect', 'committed', 'crash'), time: fc.constant(0), ...at }),
  },
);

/** `name key` to its times. */
type Model = ReadonlyMap<string, readonly number[]>;

const copy = (model: Model): Map<string, readonly number[]> => new Map(model);

/** All timers of some names, in the order in which they fire. */
function ordered(model: Model, names: readonly string[]): readonly (readonly [number, string, string])[] {
  const bytes = (key: string): Uint8Array => new TextEncoder().encode(key);
  return [...model]
    .flatMap(([place, times]) => {
      const [name, key] = JSON.parse(place) as [string, string];
      return times.map((time) => [time, key, name] as const);
    })
    .filter(([, , name]) => names.includes(name))
    .sort(
      (left, right) =>
        left[0] - right[0] ||
        compareBytes(bytes(left[1]), bytes(right[1])) ||
        names.indexOf(left[2]) - names.indexOf(right[2]),
    );
}

const cache = 100;

describe('timers', () => {
  it('fire as those of a plain map do, whatever is undone, committed, or lost in a crash', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 1, 100), (steps, cache) => {
        const backend = memoryStores();
        const id = { applicationId: 'app', store: 'timers', partition: 0 };
        const open = (): TimerStore<string> =>
          new TimerStore(backend.open(id), string(), { limit: Number.POSITIVE_INFINITY }, cache, KINDS);
        let store = open();
        let now: Model = new Map();
        let kept = copy(now);
        let stored = copy(now);
        let writes: StoreWrites[] = [];
        let written = copy(now);
        const acknowledge = (): void => {
          backend.apply(writes);
          stored = written;
          writes = [];
          store.committed();
        };
        const keep = (): void => {
          store.keep();
          kept = copy(now);
        };
        for (const { do: what, key: keyAt, name: nameAt, time } of steps) {
          const [key, name] = [KEYS[keyAt] as string, NAMES[nameAt] as string];
          const place = JSON.stringify([name, key]);
          const times = now.get(place) ?? [];
          if (what === 'set') {
            store.timers(name).set(key, time);
            now = copy(now).set(place, [time]);
          } else if (what === 'add') {
            store.timers(name).add(key, time);
            now = copy(now).set(place, [...new Set([...times, time])]);
          } else if (what === 'cancel') {
            store.timers(name).cancel(key);
            now = copy(now).set(place, []);
          } else if (what === 'keep') keep();
          else if (what === 'undo') {
            store.undo();
            now = copy(kept);
          } else if (what === 'fire') {
            keep();
            const kind = KINDS.get(name) as TimerKind;
            const names = NAMES.filter((each) => KINDS.get(each) === kind);
            const fired: unknown[] = [];
            store.fire(kind, time, (due) => fired.push([due.time, due.key, due.timers.name]));
            expect(fired).toEqual(ordered(now, names).filter(([due]) => due <= time));
            now = new Map(
              [...now].map(([each, due]) => {
                const mine = names.includes((JSON.parse(each) as [string])[0]);
                return [each, mine ? due.filter((one) => one > time) : due];
              }),
            );
            kept = copy(now);
          } else if (what === 'collect') {
            if (writes.length > 0) acknowledge();
            keep();
            store.collect(writes);
            written = copy(now);
          } else if (what === 'committed') acknowledge();
          else {
            writes = [];
            store = open();
            now = copy(stored);
            written = copy(stored);
            kept = copy(now);
          }
          for (const each of NAMES) {
            const found = Array.from(store.timers(each).all(), (due) => [due.time, due.key, each]);
            expect(found).toEqual(ordered(now, [each]));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are all found, wherever the writing of a commit was broken off, when the work is done again', () => {
    const work = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), time: fc.nat({ max: 20 }), add: fc.boolean() }), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(work, work, fc.nat({ max: 20 }), fc.nat(), (first, second, now, cut) => {
        const backend = memoryStores();
        const id = { applicationId: 'app', store: 'timers', partition: 0 };
        const open = (): TimerStore<string> =>
          new TimerStore(backend.open(id), string(), { limit: Number.POSITIVE_INFINITY }, 0, KINDS);
        const fire = (store: TimerStore<string>, until: number): string[] => {
          const fired: string[] = [];
          store.fire('stream-time', until, ({ key, time }) => fired.push(`${key}@${time}`));
          return fired;
        };
        const set = (store: TimerStore<string>, steps: typeof first): void => {
          for (const { add, key, time } of steps) {
            if (add) store.timers('x').add(key, time);
            else store.timers('x').set(key, time);
          }
          store.keep();
        };
        const collected = (store: TimerStore<string>): StoreWrites => {
          const writes: StoreWrites[] = [];
          store.collect(writes);
          return writes[0] ?? { id, keys: [], values: [] };
        };
        const store = open();
        set(store, first);
        backend.apply([collected(store)]);
        store.committed();
        fire(store, now);
        set(store, second);
        const { keys, values } = collected(store);
        const at = cut % (keys.length + 1);
        backend.apply([{ id, keys: keys.slice(0, at), values: values.slice(0, at) }]);
        const again = open();
        // Its records come again: what they set must fire, whatever is left of before.
        set(again, second);
        const fired = fire(again, 20);
        for (const key of new Set(second.map((each) => each.key))) {
          const last = second.findLast((each) => each.key === key);
          expect(fired).toContain(`${key}@${last?.time}`);
        }
        expect(again.earliest('stream-time')).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 300 },
    );
  });

  it('that came and went between two commits are written nowhere', () => {
    const backend = memoryStores();
    const id = { applicationId: 'app', store: 'timers', partition: 0 };
    const store = new TimerStore(backend.open(id), string(), { limit: Number.POSITIVE_INFINITY }, cache, KINDS);
    for (let time = 1; time <= 100; time += 1) store.timers('x').set('a', time);
    const writes: StoreWrites[] = [];
    store.collect(writes);
    expect(writes[0]?.keys).toHaveLength(2);
    expect(writes[0]?.values).not.toContain(null);
  });

  it('have no time to fire where there are none, and the first one where there are some', () => {
    const backend = memoryStores();
    const id = { applicationId: 'app', store: 'timers', partition: 0 };
    const store = new TimerStore(backend.open(id), string(), { limit: Number.POSITIVE_INFINITY }, cache, KINDS);
    expect([store.earliest('stream-time'), store.last('stream-time')]).toEqual([Number.POSITIVE_INFINITY, -1]);
    store.timers('x').add('a', 5);
    store.timers('xy').add('a', 3);
    store.timers('x2').add('a', 1);
    expect([store.earliest('stream-time'), store.last('stream-time'), store.earliest('wall-clock')]).toEqual([3, 5, 1]);
  });
});
