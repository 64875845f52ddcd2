import type { Serde } from '../serdes/serde.ts';
import type { TopicUse } from './node.ts';

/** The part of a global table that an operator needs: what `globalTable(…)` returns is one. @public */
export interface GlobalSource<K, V> {
  readonly name: string;
  /** Tells it from a table that is shared out among tasks. */
  readonly global: true;
  /** @internal */
  readonly use: TopicUse;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
}

/** The rows of a global table in this process. */
export interface GlobalRows {
  /** The newest value of a key; `undefined` where there is none. */
  get(key: NonNullable<unknown>): unknown;
}
