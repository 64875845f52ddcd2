import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import type { Serde } from '../serdes/serde.ts';
import type { TopicUse } from './node.ts';

/** The part of a topic that sinks need. `topic(…)` returns one. @public */
export interface Target<K, V> {
  readonly name: string;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;
}

/**
 * Checks that an argument is a topic and returns how it is used.
 *
 * @throws ConfigError `ERR_OPTION` for anything but a topic, such as its name alone.
 */
export function targetUse(where: string, topic: unknown): TopicUse {
  const { use } = (topic ?? {}) as { readonly use?: TopicUse };
  if (typeof use?.value?.serialize === 'function') return use;
  const name = typeof topic === 'string' ? topic : 'orders';
  throw new ConfigError('ERR_OPTION', `${where} was given ${show(topic)}, which is not a topic`, {
    hint: `say how its records are written: topic('${name}', { value: json() })`,
  });
}
