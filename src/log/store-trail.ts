import { nameHash } from './name-hash.ts';

/**
 * Where the records of an input have gone, up to an offset that is committed with this. A store that the pipeline leaves
 * out for a while lacks records, and its own positions do not show that if it is behind a shuffle. All names are hashes.
 */
export interface StoreTrail {
  /** Topics that the stage writes, and the offset from which on they hold what came of the records. */
  readonly outputs: ReadonlyMap<string, number>;
  /** Stores of the stages that read these topics, directly or through further ones. */
  readonly behind: ReadonlySet<string>;
  /** Stores that records came to once, and the first offset that did not. */
  readonly left: ReadonlyMap<string, number>;
  /** Those of them that were behind a topic: they may also lack what they had not read of it. */
  readonly leftBehind: ReadonlySet<string>;
  /** Stores of the stage that its other inputs come to, but not this one. */
  readonly apart: ReadonlySet<string>;
}

/** A stage between its input and the stores that records of the input come to. */
export interface StoreRoutes {
  /** Its own stores that the records come to. */
  readonly stores: readonly string[];
  /** Its other stores: records of other inputs come to them. */
  readonly apart: readonly string[];
  readonly outputs: readonly string[];
  /** Stores of the stages behind it, each with those of the outputs that lead there. */
  readonly behind: ReadonlyMap<string, readonly string[]>;
}

/** What was committed with an offset. */
export interface CommittedTrail {
  readonly offset: number;
  /** Stores of the stage that committed it. */
  readonly stores: ReadonlySet<string> | undefined;
  /** `undefined` if a person, another tool or an earlier version has set it. */
  readonly trail: StoreTrail | undefined;
}

/** Begins each part of the text of a trail; no space, semicolon or `%` occurs in it. */
const PART = '>';
/** Brokers keep 4,096 bytes with an offset, and other notes need the rest. A longer trail is not kept. */
const MAX_TRAIL = 1200;
/** The same for all trails of an application: a broker stores the offsets of a commit in one batch of at most 1 MiB. */
const MAX_TRAILS = 200_000;

/** Whether the offsets of a number of partitions can be committed at once with such trails. */
export function isCommittable(trail: StoreTrail, partitions: number): boolean {
  const text = encodeTrail(trail);
  return text !== undefined && text.length * partitions <= MAX_TRAILS;
}

/** @returns `undefined` if it is too long. */
export function encodeTrail({ apart, behind, left, leftBehind, outputs }: StoreTrail): string | undefined {
  const [which, gone, others] = [behind, leftBehind, apart].map((names) => [...names].join('.'));
  const parts = [offsetsText(outputs), which, offsetsText(left), gone, others];
  while (parts.length > 1 && parts.at(-1) === '') parts.pop();
  const text = parts.map((part) => PART + part).join('');
  return text.length > MAX_TRAIL ? undefined : text;
}

/** Finds the trail among the parts of the metadata of an offset. */
export function decodeTrail(parts: readonly string[]): StoreTrail | undefined {
  const text = parts.find((part) => part.startsWith(PART));
  if (text === undefined) return undefined;
  const [, outputs = '', behind = '', left = '', leftBehind = '', apart = ''] = text.split(PART);
  return {
    outputs: offsetsOf(outputs),
    behind: new Set(listed(behind)),
    left: offsetsOf(left),
    leftBehind: new Set(listed(leftBehind)),
    apart: new Set(listed(apart)),
  };
}

/** The trail of the records that a stage takes from a position on; `before` belongs to the committed offset. */
export function continueTrail(
  before: CommittedTrail | undefined,
  position: number,
  { apart, behind, outputs, stores }: StoreRoutes,
): StoreTrail {
  const known = before?.trail;
  // What has happened before an offset without a trail is unknown, and nothing is claimed about it.
  const since = before !== undefined && known === undefined ? 0 : position;
  const left = new Map(known?.left);
  const leftBehind = new Set([...(known?.leftBehind ?? []), ...(known?.behind ?? [])]);
  if (known !== undefined) {
    const own = Array.from(before?.stores ?? [], nameHash).filter((store) => !known.apart.has(store));
    for (const store of [...own, ...known.behind]) left.set(store, position);
  }
  for (const store of [...stores, ...behind.keys()].map(nameHash)) {
    left.delete(store);
    leftBehind.delete(store);
  }
  return {
    outputs: new Map(outputs.map(nameHash).map((topic) => [topic, known?.outputs.get(topic) ?? since])),
    behind: new Set(Array.from(behind.keys(), nameHash)),
    left,
    leftBehind,
    apart: new Set(apart.map(nameHash)),
  };
}

/** Records of an input that have not come to a store. */
export interface Lack {
  readonly from: number;
  /** The offset after the last of them. */
  readonly to: number;
  /** Whether the store was there before; otherwise it is new. */
  readonly left: boolean;
}

/** @param through - Topics that now lead from the stage to the store; empty for its own stores. */
export function lackOf(before: CommittedTrail, store: string, through: readonly string[]): Lack | undefined {
  const { offset, trail } = before;
  if (trail === undefined || isFed(before, store) || trail.behind.has(nameHash(store))) return undefined;
  const left = trail.left.get(nameHash(store));
  // The topics that lead there now may have been written before, and the store can read all that is in them.
  const since = through.map((topic) => trail.outputs.get(nameHash(topic)) ?? offset);
  const [from, to] = [left ?? 0, Math.min(offset, ...since)];
  return from < to ? { from, to, left: left !== undefined } : undefined;
}

/** Whether records of the input came to a store of the stage that committed it. */
function isFed({ stores, trail }: CommittedTrail, store: string): boolean {
  return stores?.has(store) === true && trail?.apart.has(nameHash(store)) !== true;
}

/** Whether records that are in a topic already may have come to a store of its stage another way. */
export function isElsewhere(before: CommittedTrail, store: string): boolean {
  const { offset, trail } = before;
  if (isFed(before, store) || trail?.left.has(nameHash(store)) === true) return true;
  // With another offset, a comparison says it.
  return offset === 0 && trail?.behind.has(nameHash(store)) !== true;
}

/** Up to where a store has got the records through shuffles, since its stage last read the topic itself. */
export function shuffledTo({ offset, trail }: CommittedTrail, store: string): number {
  const name = nameHash(store);
  return trail?.behind.has(name) === true ? offset : (trail?.left.get(name) ?? 0);
}

/**
 * Up to which offset records have gone to a topic that led to a store but does not any more: what the store had not read of
 * it, it does not get. `undefined` if there is no such topic.
 *
 * @param through - As for {@link lackOf}.
 */
export function restUpTo(
  { offset, trail }: CommittedTrail,
  store: string,
  through: readonly string[],
): number | undefined {
  const name = nameHash(store);
  if (trail === undefined || through.some((topic) => trail.outputs.has(nameHash(topic)))) return undefined;
  if (trail.behind.has(name)) return offset > 0 ? offset : undefined;
  return through.length === 0 && trail.leftBehind.has(name) ? trail.left.get(name) : undefined;
}

function offsetsText(offsets: ReadonlyMap<string, number>): string {
  return Array.from(offsets, ([name, offset]) => (offset === 0 ? name : `${name}:${offset.toString(36)}`)).join('.');
}

function offsetsOf(text: string): ReadonlyMap<string, number> {
  const entries = listed(text).map((entry): [string, number] => {
    const [name = '', offset = '0'] = entry.split(':');
    return [name, Number.parseInt(offset, 36)];
  });
  return new Map(entries);
}

function listed(text: string): string[] {
  return text === '' ? [] : text.split('.');
}
