import type { Serde } from '../serdes/serde.ts';
import type { TopicUse } from './node.ts';

/** The part of a global table that operators need. `globalTable(…)` returns one. @public */
export interface GlobalSource<K, V> {
  readonly name: string;
  /** Distinguishes it from a table that is partitioned among tasks. */
  readonly global: true;
  /** @internal */
  readonly use: TopicUse;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

/** The rows of a global table in this process. */
export interface GlobalRows {
  /** The newest value of a key; `undefined` if there is none. */
  get(key: NonNullable<unknown>): unknown;
}
