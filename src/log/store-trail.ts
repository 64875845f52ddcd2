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
}

/** A stage between its input and the stores that records of the input come to. */
export interface StoreRoutes {
  /** Its own stores. */
  readonly stores: readonly string[];
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

/** @returns `undefined` if it is too long. */
export function encodeTrail({ behind, left, leftBehind, outputs }: StoreTrail): string | undefined {
  const parts = [offsetsText(outputs), [...behind].join('.'), offsetsText(left)];
  if (leftBehind.size > 0) parts.push([...leftBehind].join('.'));
  const text = parts.map((part) => PART + part).join('');
  return text.length > MAX_TRAIL ? undefined : text;
}

/** Finds the trail among the parts of the metadata of an offset. */
export function decodeTrail(parts: readonly string[]): StoreTrail | undefined {
  const text = parts.find((part) => part.startsWith(PART));
  if (text === undefined) return undefined;
  const [, outputs = '', behind = '', left = '', leftBehind = ''] = text.split(PART);
  return {
    outputs: offsetsOf(outputs),
    behind: new Set(listed(behind)),
    left: offsetsOf(left),
    leftBehind: new Set(listed(leftBehind)),
  };
}

/** The trail of the records that a stage takes from a position on; `before` belongs to the committed offset. */
export function continueTrail(
  before: CommittedTrail | undefined,
  position: number,
  { behind, outputs, stores }: StoreRoutes,
): StoreTrail {
  const known = before?.trail;
  // What has happened before an offset without a trail is unknown, and nothing is claimed about it.
  const since = before !== undefined && known === undefined ? 0 : position;
  const left = new Map(known?.left);
  const leftBehind = new Set([...(known?.leftBehind ?? []), ...(known?.behind ?? [])]);
  if (known !== undefined) {
    for (const store of [...Array.from(before?.stores ?? [], nameHash), ...known.behind]) left.set(store, position);
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
export function lackOf(
  { offset, stores, trail }: CommittedTrail,
  store: string,
  through: readonly string[],
): Lack | undefined {
  if (trail === undefined || stores?.has(store) === true || trail.behind.has(nameHash(store))) return undefined;
  const left = trail.left.get(nameHash(store));
  // The topics that lead there now may have been written before, and the store can read all that is in them.
  const since = through.map((topic) => trail.outputs.get(nameHash(topic)) ?? offset);
  const [from, to] = [left ?? 0, Math.min(offset, ...since)];
  return from < to ? { from, to, left: left !== undefined } : undefined;
}

/** Whether records that are in a topic already may have come to a store of its stage another way. */
export function isElsewhere({ offset, stores, trail }: CommittedTrail, store: string): boolean {
  if (stores?.has(store) === true || trail?.left.has(nameHash(store)) === true) return true;
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
