import type { Serde } from '../serdes/serde.ts';
import type { TopicUse } from './node.ts';

/** The part of a topic that a sink needs: what `topic(…)` returns is one. @public */
export interface Target<K, V> {
  readonly name: string;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;
}
