import type { StoreUse, TopicUse } from '../dataflow/node.ts';
import type { Step } from '../dataflow/step.ts';
import { ConfigError } from '../errors.ts';
import { settled } from '../options/promises.ts';
import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import { declareStore } from '../state/store-spec.ts';
import { msgpackCodec, type ValueCodec } from '../state/value-codec.ts';
import { replies, subscriptions } from './foreign-messages.ts';
import type { JoinedRows } from './joined-rows.ts';
import type { Table } from './table.ts';

/** Makes the joined row of a left row and its right row, or null for the latter. */
export type CombineForeign<K, L, R, W> = (
  left: NonNullable<L>,
  right: NonNullable<R> | null,
  key: NonNullable<K>,
) => W | null;

/** A store: its declaration, and how to decode its values. */
interface OwnStore<T> {
  readonly use: StoreUse;
  readonly codec: ValueCodec<T>;
}

/** What the parts of a foreign-key join share. */
export class ForeignJoin<K, L, F, R, W> {
  readonly name: string;
  readonly isLeft: boolean;
  readonly keyOf: (row: NonNullable<L>, key: NonNullable<K>) => F | null;
  readonly leftKeys: Serde<K>;
  readonly rightKeys: Serde<F>;
  readonly leftRows: Serde<L>;
  readonly joinedRows: Serde<NonNullable<W>>;
  readonly subscriptions: TopicUse;
  readonly replies: TopicUse;
  readonly #combine: CombineForeign<K, L, R, W>;

  constructor(
    left: Table<K, L>,
    right: Table<F, R>,
    keyOf: (row: NonNullable<L>, key: NonNullable<K>) => F | null,
    combine: CombineForeign<K, L, R, W>,
    { isLeft, name, value }: JoinedRows<W>,
  ) {
    this.name = name;
    this.isLeft = isLeft;
    this.keyOf = keyOf;
    this.#combine = combine;
    this.leftKeys = keysOf(left, name) as Serde<K>;
    this.rightKeys = keysOf(right, name) as Serde<F>;
    this.leftRows = (left.rowSerde ?? msgpack<L>()) as Serde<L>;
    this.joinedRows = value ?? msgpack<NonNullable<W>>();
    const shuffle = <Key, Message>(to: string, key: Serde<Key>, value: Serde<Message>): TopicUse => ({
      name: `${name}-${to}`,
      internal: true,
      key: key as Serde<unknown>,
      value: value as Serde<unknown>,
    });
    this.subscriptions = shuffle('subscriptions', orNone(this.rightKeys), subscriptions);
    this.replies = shuffle('replies', this.leftKeys, replies);
  }

  /** The bytes of the joined row, or null if it cannot be made: steps below must not keep an outdated row. */
  made(
    step: Step<unknown>,
    left: NonNullable<L>,
    right: NonNullable<R> | null,
    key: NonNullable<K>,
  ): Uint8Array | null {
    if (right === null && !this.isLeft) return null;
    try {
      const row = settled(this.#combine(left, right, key)) ?? null;
      return row === null ? null : this.joinedRows.serialize(row);
    } catch (error) {
      step.failed(error);
      return null;
    }
  }

  /** A store that belongs to the join, in addition to that of its rows. */
  store<T, Key = never>(
    what: string,
    kind: 'keyValue' | 'timed',
    key: Serde<Key> | 'upstream' = 'upstream',
  ): OwnStore<T> {
    const name = `${this.name}-${what}`;
    const codec = msgpackCodec<T>(name);
    return { codec, use: declareStore({ name, kind, key, value: codec, fingerprint: `joinRows ${what}` }) };
  }
}

function keysOf(table: Pick<Table<unknown, unknown>, 'keySerde' | 'name'>, name: string): Serde<unknown> {
  if (table.keySerde !== undefined) return table.keySerde;
  throw new ConfigError('ERR_SERDE', `joinRows(${name}): how the keys of ${table.name} are written is not known`, {
    hint: 'rows travel by these keys: join tables of topics, aggregates, or views of them; below a plain RxJS operator send them through(topic) first',
  });
}

/** The same serde, also for null: a message that concerns no right row has no key. */
function orNone<F>(keys: Serde<F>): Serde<F> {
  return {
    name: keys.name,
    nullable: true,
    serialize: (key) => keys.serialize(key),
    deserialize: (bytes) => keys.deserialize(bytes),
  };
}
