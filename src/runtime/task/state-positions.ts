import { heardMark, heardOf, offsetMark } from '../../log/offset-mark.ts';
import type { CommittedOffset } from '../../log/transport.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import type { InputSet } from './input-set.ts';

/** Store of the input positions of all stores of a task. Not a name that a user can give. */
export const INPUTS_STORE = '#inputs';

/** How far a store has taken the records of an input topic. */
export interface StatePosition {
  readonly offset: number;
  /** The topic, told from others of its name; `undefined` where the log does not say, or did not when it was written. */
  readonly topicId: string | undefined;
  /** How many partitions the topic had: keys lie elsewhere with another number. */
  readonly partitions: number | undefined;
  /** What was heard in the input of how far those are that write it. */
  readonly heard?: string | undefined;
}

/** How far a store has taken the records of each input topic. */
export type StatePositions = ReadonlyMap<string, StatePosition>;

/** What is known of the topics of an application. */
export type KnownTopics = ReadonlyMap<string, { readonly partitions: number; readonly id?: string | undefined }>;

/** As it is stored: the offset alone before topics were told apart. */
type StoredPosition = number | readonly [offset: number, partitions: number, topicId?: string | null, heard?: string];

const encoder = new TextEncoder();

/**
 * Keeps with the stores of a task how far its inputs have been read: whoever starts the task compares this with the
 * committed offsets, because the one can be lost, expire or be reset without the other.
 */
export class PositionKeeper {
  readonly #id: StoreId;
  readonly #keys: readonly Uint8Array[];
  readonly #mark: string;
  readonly #topics: KnownTopics;
  readonly #heard: (topic: string) => string | undefined;

  /** @param heard - What was heard in an input, up to the position that is kept. */
  constructor(
    applicationId: string,
    partition: number,
    stores: readonly { readonly name: string }[],
    topics: KnownTopics,
    heard: (topic: string) => string | undefined = () => undefined,
  ) {
    this.#heard = heard;
    this.#topics = topics;
    this.#id = { applicationId, store: INPUTS_STORE, partition };
    this.#keys = stores.map(({ name }) => encoder.encode(name));
    this.#mark = offsetMark(stores.map(({ name }) => name));
  }

  /** Positions that have moved, as offsets to commit; when one has, all of them are written to the state. */
  keep(inputs: Pick<InputSet, 'positions' | 'takeOffsets'>, state: StoreWrites[]): CommittedOffset[] {
    const offsets = inputs.takeOffsets();
    if (offsets.length > 0) state.push(...this.write(inputs.positions()));
    return this.signed(offsets);
  }

  /** The write that says so in every store. It comes last in a commit: who finds it finds all changes before it. */
  write(positions: Iterable<readonly [topic: string, offset: number]>): StoreWrites[] {
    if (this.#keys.length === 0) return [];
    // By hand, without an object of objects: a live application commits a record or two at a time.
    let text = '';
    for (const [topic, offset] of positions) {
      text += `${text === '' ? '{' : ','}${JSON.stringify(topic)}:${JSON.stringify(this.#stored(topic, offset))}`;
    }
    const value = encoder.encode(text === '' ? '{}' : `${text}}`);
    return [{ id: this.#id, keys: this.#keys, values: this.#keys.map(() => value) }];
  }

  #stored(topic: string, offset: number): StoredPosition {
    const known = this.#topics.get(topic);
    if (known === undefined) return offset;
    const heard = this.#heard(topic);
    if (heard !== undefined) return [offset, known.partitions, known.id ?? null, heard];
    return known.id === undefined ? [offset, known.partitions] : [offset, known.partitions, known.id];
  }

  #withHeard(offset: CommittedOffset): CommittedOffset {
    const heard = this.#heard(offset.topic);
    const metadata = heard === undefined ? undefined : heardMark(heard);
    return metadata === undefined ? offset : { ...offset, metadata };
  }

  /** The offsets as offsets of this application, so that one that somebody has set by hand can be told from them. */
  signed(offsets: readonly CommittedOffset[]): CommittedOffset[] {
    if (this.#keys.length === 0) return offsets.map((offset) => this.#withHeard(offset));
    return offsets.map((offset) => ({ ...offset, metadata: this.#mark }));
  }
}

/** What was heard in inputs before the positions: as the stores have kept it, or else as it was committed. */
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

/** What a store says of how far its inputs were read; `undefined` where it says nothing. */
export function statePositions(stores: StoreBackend, id: StoreId): StatePositions | undefined {
  const store: ByteStore = stores.open({ ...id, store: INPUTS_STORE });
  const value = store.get(encoder.encode(id.store));
  if (value === undefined) return undefined;
  const stored = JSON.parse(new TextDecoder().decode(value)) as Record<string, StoredPosition>;
  return new Map(
    Object.entries(stored).map(([topic, position]) => {
      const [offset, partitions, topicId, heard] = typeof position === 'number' ? [position] : position;
      return [topic, { offset, partitions, topicId: topicId ?? undefined, heard }];
    }),
  );
}
