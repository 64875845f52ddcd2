import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';

/**
 * A message from a row of the left table to the task of the right row that it belongs to. Its record key is the right
 * row's key.
 */
export interface Subscription {
  /**
   * `join`: the row belongs there and has this content. `leave`: it no longer belongs there. `tell`: the row belongs to
   * no right row, and `row` is its joined row; such a message has no key.
   */
  readonly does: 'join' | 'leave' | 'tell';
  /** The left row's key, in bytes. */
  readonly key: Uint8Array;
  /**
   * With `partition`, identifies the subscription among others to the same right row: its number and the partition of
   * the left row.
   */
  readonly number: number;
  readonly partition: number;
  /** Number of the change, ascending for each key. */
  readonly version: number;
  /**
   * What to answer. `always`: the joined row. `row`: the joined row, only if there is a right row. `deletion`: that
   * there is no row. `none`: nothing about the row.
   */
  readonly answer: 'always' | 'row' | 'deletion' | 'none';
  /** For a deleted left row: how many subscriptions it had. */
  readonly ended: number | null;
  readonly row: Uint8Array | null;
}

/** A message to the result: the new state of a joined row. Its record key is the left row's key. */
export interface Reply {
  readonly version: number;
  /** Whether a subscription has ended. */
  readonly left: boolean;
  /** As in {@link Subscription}. */
  readonly ended: number | null;
  /** Whether the message has the row: `row`, or null for none. */
  readonly tells: boolean;
  readonly row: Uint8Array | null;
}

const DOES = ['join', 'leave', 'tell'] as const;
const ANSWERS = ['always', 'row', 'deletion', 'none'] as const;

type Packed = readonly unknown[];

/** Writes an object as a compact array of its fields. */
function packed<T extends object>(
  name: string,
  pack: (message: T) => Packed,
  unpack: (fields: Packed) => NonNullable<T>,
): Serde<T> {
  const serde = msgpack<Packed>();
  return {
    name,
    serialize: (message) => serde.serialize(pack(message)),
    deserialize: (bytes) => unpack(serde.deserialize(bytes)),
  };
}

export const subscriptions: Serde<Subscription> = packed(
  'subscription',
  ({ answer, does, ended, key, number, partition, row, version }) => [
    DOES.indexOf(does),
    key,
    number,
    partition,
    version,
    ANSWERS.indexOf(answer),
    ended,
    row,
  ],
  ([does, key, number, partition, version, answer, ended, row]) => ({
    does: DOES[does as 0] as Subscription['does'],
    key: key as Uint8Array,
    number: number as number,
    partition: partition as number,
    version: version as number,
    answer: ANSWERS[answer as 0] as Subscription['answer'],
    ended: ended as number | null,
    row: row as Uint8Array | null,
  }),
);

export const replies: Serde<Reply> = packed(
  'reply',
  ({ ended, left, row, tells, version }) => [version, left, ended, tells, row],
  ([version, left, ended, tells, row]) => ({
    version: version as number,
    left: left as boolean,
    ended: ended as number | null,
    tells: tells as boolean,
    row: row as Uint8Array | null,
  }),
);
