import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';

/** What a row of the left table tells the task of the right row that it belongs to. It goes under that row's key. */
export interface Subscription {
  /**
   * `join`: the row belongs there, with this content. `leave`: it does no more. `tell`: `row` is the joined row of one that
   * belongs to none; it goes without a key.
   */
  readonly does: 'join' | 'leave' | 'tell';
  /** The left row's key, as bytes. */
  readonly key: Uint8Array;
  /** Tells the subscription from others of the same right row: its number, and the partition of the left row. */
  readonly number: number;
  readonly partition: number;
  /** Number of the change. Those of one key rise. */
  readonly version: number;
  /** `always`; `row`: only if there is a right row; `deletion`: that there is no row; `none`: nothing of the row. */
  readonly answer: 'always' | 'row' | 'deletion' | 'none';
  /** Of a left row that was deleted: how many subscriptions it had. */
  readonly ended: number | null;
  readonly row: Uint8Array | null;
}

/** What becomes of a joined row. It goes under the left row's key. */
export interface Reply {
  readonly version: number;
  /** A subscription was left. */
  readonly left: boolean;
  /** As that of {@link Subscription}. */
  readonly ended: number | null;
  /** Whether it says what the row is: `row`, or null for none. */
  readonly tells: boolean;
  readonly row: Uint8Array | null;
}

const DOES = ['join', 'leave', 'tell'] as const;
const ANSWERS = ['always', 'row', 'deletion', 'none'] as const;

type Packed = readonly unknown[];

/** A record as a short array of its fields. */
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
