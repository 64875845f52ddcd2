import { describe, expect, it } from 'vitest';
import { committedTrail, heardOf, isStateless, offsetMark, statelessMark, storesOf } from './offset-mark.ts';
import {
  continueTrail,
  isCommittable,
  isElsewhere,
  lackOf,
  restUpTo,
  type StoreRoutes,
  type StoreTrail,
  shuffledTo,
} from './store-trail.ts';

const routes = (
  stores: string[],
  behind: Record<string, string[]> = {},
  outputs = Object.values(behind).flat(),
  apart: string[] = [],
) => ({ stores, apart, outputs, behind: new Map(Object.entries(behind)) }) satisfies StoreRoutes;
const at = (offset: number, metadata: string | undefined) => committedTrail({ offset, metadata: metadata as string });

/** An offset names all stores of its stage. */
const storesOfStage = ({ apart, stores }: StoreRoutes) => new Set([...stores, ...apart]);

/** The trail of an input whose pipeline changes at these offsets. */
function changing(...changes: readonly (readonly [offset: number, routes: StoreRoutes])[]): StoreTrail {
  const [first, ...rest] = changes as [(typeof changes)[0], ...typeof changes];
  let before = { trail: continueTrail(undefined, first[0], first[1]), stores: storesOfStage(first[1]) };
  for (const [offset, now] of rest) {
    before = { trail: continueTrail({ offset, ...before }, offset, now), stores: storesOfStage(now) };
  }
  return before.trail;
}

describe('the trail of an offset', () => {
  it('is read from metadata as it was written, beside stores and what was heard', () => {
    const trail = changing(
      [0, routes(['a', 'b'])],
      [7, routes([], { c: ['mid'] }, ['mid', 'out'])],
      [90, routes(['é x'])],
    );
    expect(trail.left.size).toBe(3);
    const next = { offset: 90, stores: new Set(['é x']), trail };
    const apart = continueTrail(next, 95, routes([], {}, [], ['y']));
    expect(apart.apart.size).toBe(1);
    expect(at(95, offsetMark(['y'], apart))).toEqual({ offset: 95, stores: new Set(['y']), trail: apart });
    const stateful = at(90, offsetMark(['é x'], trail));
    expect(stateful).toEqual({ offset: 90, stores: new Set(['é x']), trail });
    for (const heard of [undefined, '2:k:v:1:1;@xyz']) {
      const metadata = statelessMark(trail)(heard);
      expect(at(90, metadata)).toEqual({ offset: 90, stores: undefined, trail });
      expect(heardOf({ metadata })).toBe(heard);
    }
  });

  it('is not there where an earlier version, another tool or a person has set the offset', () => {
    for (const metadata of [undefined, '', 'x', 'x > y', 'millrace', 'millrace counts', 'millrace-time 2:k:v;@x'])
      expect(at(3, metadata).trail, metadata).toBeUndefined();
    expect(storesOf({ metadata: 'millrace a%20b >x>y>' })).toEqual(new Set(['a b']));
    expect(heardOf({ metadata: 'millrace-time 2:k:v;@x' })).toBe('2:k:v;@x');
  });

  it('is left out where it is too long for a broker', () => {
    const trail = changing([
      0,
      routes(
        [],
        {},
        Array.from({ length: 200 }, (_, n) => `out-${n}`),
      ),
    ]);
    expect(offsetMark(['a'], trail)).toBe('millrace a');
    expect(isStateless({ metadata: statelessMark(trail)(undefined) })).toBe(true);
    expect(statelessMark(trail)('x')).toBe('millrace-time x');
    expect(isCommittable(trail, 1)).toBe(false);
  });

  it('is left out where those of all partitions are too long for one commit', () => {
    const trail = changing([0, routes(['a'], {}, ['one', 'two'])]);
    expect([1, 10, 10_000].map((partitions) => isCommittable(trail, partitions))).toEqual([true, true, true]);
    expect(isCommittable(trail, 20_000)).toBe(false);
  });
});

describe('what a store lacks', () => {
  const lacks = (trail: StoreTrail, offset: number, store: string, through: string[] = [], stores?: string[]) =>
    lackOf({ offset, trail, stores: stores && new Set(stores) }, store, through);

  it('is what was read without it', () => {
    const trail = changing([0, routes(['a'])], [5, routes(['b'])], [8, routes([])]);
    expect(lacks(trail, 9, 'a')).toEqual({ from: 5, to: 9, left: true });
    expect(lacks(trail, 9, 'b', ['mid'])).toEqual({ from: 8, to: 9, left: true });
    expect(lacks(trail, 8, 'b')).toBeUndefined();
    expect(lacks(trail, 9, 'c')).toEqual({ from: 0, to: 9, left: false });
  });

  it('is nothing that a topic which leads there has kept', () => {
    const trail = changing([0, routes([], { a: ['mid'] })], [5, routes([], {}, ['mid'])]);
    expect(lacks(trail, 9, 'a', ['mid'])).toBeUndefined();
    expect(lacks(trail, 9, 'a')).toEqual({ from: 5, to: 9, left: true });
    expect(lacks(trail, 9, 'new', ['mid'])).toBeUndefined();
    const later = changing([0, routes(['a'])], [5, routes([])], [7, routes([], {}, ['mid'])]);
    expect(lacks(later, 9, 'a', ['mid'])).toEqual({ from: 5, to: 7, left: true });
    expect(lacks(later, 9, 'new', ['mid'])).toEqual({ from: 0, to: 7, left: false });
  });

  it('is nothing of an input that does not come to it, though it belongs to the stage', () => {
    const [joined, alone] = [routes(['a'], {}, [], ['b']), routes(['a'])];
    const trail = changing([0, joined], [3, alone]);
    expect(lacks(trail, 9, 'b', [], ['a'])).toEqual({ from: 0, to: 9, left: false });
    const came = changing([0, routes(['a', 'b'])], [3, joined]);
    expect(lacks(came, 9, 'b', ['mid'], ['a', 'b'])).toEqual({ from: 3, to: 9, left: true });
  });

  it('is nothing where it has got them directly and through a topic by turns', () => {
    const [direct, behind] = [routes(['a']), routes([], { a: ['mid'] })];
    const trail = changing([0, direct], [3, behind], [5, direct], [8, behind]);
    expect(lacks(trail, 9, 'a', ['mid'])).toBeUndefined();
    expect(lacks(trail, 9, 'a')).toBeUndefined();
    expect(shuffledTo({ offset: 9, trail, stores: undefined }, 'a')).toBe(9);
    const found = [undefined, new Set(['a'])].map((stores) => isElsewhere({ offset: 9, trail, stores }, 'a'));
    expect(found, 'its own records wait there').toEqual([false, true]);
    expect([0, 9].map((offset) => isElsewhere({ offset, trail, stores: undefined }, 'b'))).toEqual([true, false]);
  });

  it('is unknown before an offset that somebody has set', () => {
    const set = { offset: 5, stores: undefined, trail: undefined };
    const trail = continueTrail(set, 5, routes([], { a: ['mid'] }));
    expect(lacks(trail, 9, 'b', ['mid'])).toBeUndefined();
    expect(lackOf(set, 'a', ['mid'])).toBeUndefined();
  });

  it('may be what it had not read of a topic that it left, at once or later', () => {
    const gone = changing([0, routes([], { a: ['mid'] })], [5, routes([])]);
    const after = { offset: 5, trail: at(5, statelessMark(gone)(undefined)).trail, stores: undefined };
    expect(after.trail).toEqual(gone);
    expect(restUpTo(after, 'a', [])).toBe(5);
    expect(restUpTo(after, 'a', ['mid']), 'it reads on there').toBeUndefined();
    expect(restUpTo(after, 'b', [])).toBeUndefined();
    const kept = changing([0, routes([], { a: ['mid'] })], [5, routes([], {}, ['mid'])]);
    expect(restUpTo({ ...after, trail: kept }, 'a', ['mid'])).toBeUndefined();
    expect(restUpTo({ ...after, trail: kept }, 'a', [])).toBe(5);
    const trail = changing([0, routes([], { a: ['mid'] })]);
    const before = { offset: 9, trail, stores: undefined };
    expect(restUpTo(before, 'a', [])).toBe(9);
    expect(restUpTo(before, 'a', ['mid'])).toBeUndefined();
    expect(restUpTo(before, 'b', ['mid'])).toBeUndefined();
  });
});
