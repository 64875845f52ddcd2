import type { TopicUse } from '../dataflow/node.ts';
import { Stream } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import type { PlacementOf, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { TopicOptions } from './topic.ts';

/** How to read the records of all topics that match a pattern. @public */
export type TopicPatternOptions<K, V> = Pick<
  TopicOptions<K, V>,
  'key' | 'value' | 'onRecordError' | 'idle' | 'timestamp' | 'onInvalidTimestamp'
>;

/**
 * All topics whose names match a pattern, as one read-only stream.
 *
 * @public
 */
export class TopicPattern<K, V> extends Stream<StreamRecord<K, V, PlacementOf<K>>> {
  readonly pattern: RegExp;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;

  /** @internal */
  constructor(pattern: RegExp, use: TopicUse) {
    super({
      kind: 'source',
      traits: { keepsTime: true },
      name: 'topic',
      detail: use.name,
      topics: [use],
      discover() {},
      attach(subscriber, task) {
        const found = task.found(use);
        let open = found.length;
        for (const each of found) {
          task.consume(each, {
            key: use.key,
            value: use.value,
            tombstones: false,
            table: false,
            deliver: (record) => subscriber.next(record as StreamRecord<K, V, PlacementOf<K>>),
            complete() {
              open -= 1;
              if (open === 0) subscriber.complete();
            },
          });
        }
      },
    });
    this.pattern = pattern;
    this.key = use.key as Serde<K> | undefined;
    this.value = use.value as Serde<V>;
  }
}

/**
 * A predicate for the names that match. A copy of the RegExp is used, because with the flags g and y it remembers its
 * position.
 */
export function nameTest(pattern: RegExp): (name: string) => boolean {
  const tester = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  return (name) => tester.test(name);
}

/** @throws ConfigError `ERR_OPTION` for options that only a single topic can have. */
export function checkPatternOptions(pattern: RegExp, options: object): void {
  for (const option of ['partitions', 'config']) {
    if (!(option in (options ?? {}))) continue;
    throw new ConfigError('ERR_OPTION', `topic ${pattern} has ${option}, but topics of a pattern are not created`, {
      hint: `leave out ${option}: each topic keeps what it was created with`,
    });
  }
}
