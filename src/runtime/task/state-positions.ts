import { heardOf, offsetMark, statelessMark } from '../../log/offset-mark.ts';
import type { StoreTrail } from '../../log/store-trail.ts';
import type { CommittedOffset } from '../../log/transport.ts';
import { encodeUtf8 } from '../../serdes/text.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import { FINGERPRINT_STORE } from './fingerprints.ts';
import type { InputSet } from './input-set.ts';

/** Store of the input positions of all stores of a task. Not a name that a user can give. */
export const INPUTS_STORE = '#inputs';

/** The position of a store in an input topic. */
export interface StatePosition {
  readonly offset: number;
  /**
   * Distinguishes the topic from others with its name; `undefined` if the log does not provide it, or did not at the
   * time of writing.
   */
  readonly topicId: string | undefined;
  /** The number of partitions of the topic: with a different number, keys are in other partitions. */
  readonly partitions: number | undefined;
  /** The announcements in the input about the progress of its writers. */
  readonly heard?: string | undefined;
}

/** The positions of a store in each input topic. */
export type StatePositions = ReadonlyMap<string, StatePosition>;

/** The known topics of an application. */
export type KnownTopics = ReadonlyMap<string, KnownTopic>;

interface KnownTopic {
  readonly partitions: number;
  readonly id?: string | undefined;
}

/** The stored form; older versions stored only the offset, without a topic id. */
type StoredPosition = number | readonly [offset: number, ...Aside];
type Aside = readonly [partitions: number, topicId?: string | null, heard?: string];

const encoder = new TextEncoder();

/** Cached text around the offset of a topic in stored positions, valid until the rest changes. */
interface Frame {
  readonly known: KnownTopic | undefined;
  readonly heard: string | undefined;
  readonly before: string;
  readonly behind: string;
}

/**
 * Records the input positions in the stores of a task. A start of the task compares them with the committed offsets,
 * because either can be lost, expire or be reset without the other.
 */
export class PositionKeeper {
  readonly #id: StoreId;
  readonly #keys: readonly Uint8Array[];
  readonly #topics: KnownTopics;
  readonly #heard: (topic: string) => string | undefined;
  readonly #stores: readonly string[];
  readonly #trails: ReadonlyMap<string, StoreTrail>;
  /** By topic: the metadata for its offsets. */
  readonly #marks = new Map<string, (heard: string | undefined) => string>();
  readonly #frames = new Map<string, Frame>();

  /**
   * @param heard - Describes the announcements in an input up to the recorded position.
   * @param trails - Where the records of each input go.
   */
  constructor(
    applicationId: string,
    partition: number,
    stores: readonly { readonly name: string }[],
    topics: KnownTopics,
    heard: (topic: string) => string | undefined = () => undefined,
    trails: ReadonlyMap<string, StoreTrail> = new Map(),
  ) {
    this.#heard = heard;
    this.#topics = topics;
    this.#id = { applicationId, store: INPUTS_STORE, partition };
    this.#stores = stores.map(({ name }) => name);
    this.#keys = this.#stores.map((name) => encoder.encode(name));
    this.#trails = trails;
  }

  /**
   * Positions that have moved, as offsets to commit. If one has moved, or a store has changed, all positions are written
   * to the state: they end the changes of a commit.
   */
  keep(inputs: Pick<InputSet, 'positions' | 'takeOffsets'>, state: StoreWrites[]): CommittedOffset[] {
    const offsets = inputs.takeOffsets(this.#metadata);
    const hasChanged = state.some(({ id }) => id.store !== FINGERPRINT_STORE);
    if (offsets.length > 0 || hasChanged) state.push(...this.write(inputs.positions()));
    return offsets;
  }

  /**
   * The writes that record the positions in every store. They come last in a commit: a reader that finds them has all
   * earlier changes.
   */
  write(positions: Iterable<readonly [topic: string, offset: number]>): StoreWrites[] {
    if (this.#keys.length === 0) return [];
    // Only the numbers change: a live application commits a record or two at a time.
    let text = '{';
    for (const [topic, offset] of positions) {
      const { before, behind } = this.#frame(topic);
      text += `${text === '{' ? '' : ','}${before}${offset}${behind}`;
    }
    const value = encodeUtf8(`${text}}`);
    return [{ id: this.#id, keys: this.#keys, values: this.#keys.map(() => value) }];
  }

  #frame(topic: string): Frame {
    const heard = this.#heard(topic);
    const known = this.#topics.get(topic);
    const made = this.#frames.get(topic);
    if (made !== undefined && made.heard === heard && made.known === known) return made;
    const rest = known === undefined ? undefined : JSON.stringify(aside(known, heard)).slice(1);
    const frame: Frame = {
      known,
      heard,
      before: `${JSON.stringify(topic)}:${rest === undefined ? '' : '['}`,
      behind: rest === undefined ? '' : `,${rest}`,
    };
    this.#frames.set(topic, frame);
    return frame;
  }

  readonly #metadata = (topic: string): string => {
    let mark = this.#marks.get(topic);
    if (mark === undefined) {
      const trail = this.#trails.get(topic);
      const fixed = offsetMark(this.#stores, trail);
      mark = this.#stores.length > 0 ? () => fixed : statelessMark(trail);
      this.#marks.set(topic, mark);
    }
    return mark(this.#stores.length > 0 ? undefined : this.#heard(topic));
  };

  /** Marks offsets as committed by this application, to distinguish them from manually set ones. */
  signed(offsets: readonly CommittedOffset[]): CommittedOffset[] {
    return offsets.map((offset) => ({ ...offset, metadata: this.#metadata(offset.topic) }));
  }
}

/** What is stored after an offset. */
function aside({ id, partitions }: KnownTopic, heard: string | undefined): Aside {
  if (heard !== undefined) return [partitions, id ?? null, heard];
  return id === undefined ? [partitions] : [partitions, id];
}

/** The announcements before the positions, from the stores or from the committed metadata. */
export function heardBefore(
  positions: ReadonlyMap<string, number>,
  states: readonly (StatePositions | undefined)[],
  committed: ReadonlyMap<string, CommittedOffset>,
): ReadonlyMap<string, string> {
  const heard = new Map<string, string>();
  for (const [topic, position] of positions) {
    const offset = committed.get(topic);
    const known = [...states.map((state) => state?.get(topic)), offset && { ...offset, heard: heardOf(offset) }];
    const text = known.find((each) => each?.offset === position && each.heard !== undefined)?.heard;
    if (text !== undefined) heard.set(topic, text);
  }
  return heard;
}

/** The input positions recorded in a store; `undefined` if there are none. */
export function statePositions(stores: StoreBackend, id: StoreId): StatePositions | undefined {
  const store: ByteStore = stores.open({ ...id, store: INPUTS_STORE });
  const value = store.get(encoder.encode(id.store));
  return value === undefined ? undefined : readPositions(value);
}

/** Reads recorded positions. */
export function readPositions(value: Uint8Array): StatePositions {
  const stored = JSON.parse(new TextDecoder().decode(value)) as Record<string, StoredPosition>;
  return new Map(
    Object.entries(stored).map(([topic, position]) => {
      const [offset, partitions, topicId, heard] = typeof position === 'number' ? [position] : position;
      return [topic, { offset, partitions, topicId: topicId ?? undefined, heard }];
    }),
  );
}
