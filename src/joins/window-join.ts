import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import { valueForm } from '../state/held-record.ts';
import type { JoinType } from './join-rules.ts';

export type Side = 'left' | 'right';

/**
 * Records of one side in a window as a linked list, the last to arrive first: a state never changes, and adding a
 * record makes a new head.
 */
interface Kept {
  readonly value: unknown;
  readonly timestamp: number;
  readonly before: Kept | undefined;
}

/** The records of a key in a window, on both sides. */
export interface Sides {
  readonly left: Kept | undefined;
  readonly right: Kept | undefined;
}

/** One row: a pair, or a record without any on the other side. */
export interface Pair {
  readonly left: Row | null;
  readonly right: Row | null;
  /** The later timestamp of the two. */
  readonly timestamp: number;
}

interface Row {
  readonly value: unknown;
  readonly timestamp: number;
}

export const NO_SIDES: Sides = { left: undefined, right: undefined };

export function withRecord(sides: Sides, side: Side, value: unknown, timestamp: number): Sides {
  return { ...sides, [side]: { value, timestamp, before: sides[side] } };
}

/** Merges the contents of two windows; the records of the later window count as later arrivals. */
export function mergedSides(earlier: Sides, later: Sides): Sides {
  return { left: merged(earlier.left, later.left), right: merged(earlier.right, later.right) };
}

function merged(earlier: Kept | undefined, later: Kept | undefined): Kept | undefined {
  if (earlier === undefined) return later;
  let all = earlier;
  for (const { timestamp, value } of inOrder(later)) all = { value, timestamp, before: all };
  return all;
}

/** The rows of a closed window, ordered by the time of the left record, then of the right one, then by arrival. */
export function* pairsOf(sides: Sides, type: JoinType): Generator<Pair> {
  const [lefts, rights] = [byTime(sides.left), byTime(sides.right)];
  if (rights.length === 0 && type !== 'inner') {
    for (const left of lefts) yield { left, right: null, timestamp: left.timestamp };
  } else if (lefts.length === 0 && type === 'outer') {
    for (const right of rights) yield { left: null, right, timestamp: right.timestamp };
  }
  for (const left of lefts) {
    for (const right of rights) yield { left, right, timestamp: Math.max(left.timestamp, right.timestamp) };
  }
}

function byTime(last: Kept | undefined): Row[] {
  return inOrder(last).sort((one, other) => one.timestamp - other.timestamp);
}

/** The records in order of arrival. */
function inOrder(last: Kept | undefined): Kept[] {
  const all: Kept[] = [];
  for (let each = last; each !== undefined; each = each.before) all.push(each);
  return all.reverse();
}

type Written = readonly (readonly [value: unknown, timestamp: number])[];

/** The serde for the records of a key in a window. */
export function sidesSerde(left: Serde<unknown> | undefined, right: Serde<unknown> | undefined): Serde<Sides> {
  const list = msgpack<readonly [Written, Written]>();
  const forms = { left: valueForm(left), right: valueForm(right) };
  const write = (side: Side, last: Kept | undefined): Written =>
    inOrder(last).map(({ timestamp, value }) => [forms[side].write(value), timestamp]);
  const read = (side: Side, written: Written): Kept | undefined => {
    let last: Kept | undefined;
    for (const [value, timestamp] of written) last = { value: forms[side].read(value), timestamp, before: last };
    return last;
  };
  return {
    name: `left as ${left?.name ?? 'msgpack'}, right as ${right?.name ?? 'msgpack'}`,
    serialize: (sides) => list.serialize([write('left', sides.left), write('right', sides.right)]),
    deserialize(bytes) {
      const [lefts, rights] = list.deserialize(bytes);
      return { left: read('left', lefts), right: read('right', rights) };
    },
  };
}

/** The contents of a window, for reads from outside. */
export function valuesOf({ left, right }: Sides): { readonly left: unknown[]; readonly right: unknown[] } {
  const values = (last: Kept | undefined): unknown[] => inOrder(last).map(({ value }) => value);
  return { left: values(left), right: values(right) };
}
