import type { TopicUse } from '../dataflow/node.ts';
import { Stream } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, idleMsOf } from '../options/duration.ts';
import { checkNames, checkTopicName, checkWhole, type OptionNames, show } from '../options/option-checks.ts';
import { checkPolicy, type RecordPolicy } from '../options/record-policy.ts';
import { checkTimestamps, type InvalidTimestampPolicy, type TimestampOf } from '../options/timestamps.ts';
import { checkTopicConfig, TOPIC_CONFIG, type TopicConfig } from '../options/topic-config.ts';
import type { PlacementOf, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { checkPatternOptions, nameTest, TopicPattern, type TopicPatternOptions } from './topic-pattern.ts';

/** How records of a topic are read and written. @public */
export interface TopicOptions<K, V> {
  /** Left out: records are read and written without a key. */
  readonly key?: Serde<K>;
  readonly value: Serde<V>;
  /**
   * Wanted number of partitions. A topic with this option is created when it is missing; an existing topic with another
   * number is refused when the application starts.
   */
  readonly partitions?: number;
  /** Configuration that the topic is created with where it is missing; an existing topic stays as it is. */
  readonly config?: TopicConfig;
  /** What happens to a record of this topic that fails, instead of the application's `onRecordError`. */
  readonly onRecordError?: RecordPolicy;
  /** For tasks that read this topic, instead of the application's `idle`; the longest, where they read several that say so. */
  readonly idle?: Duration;
  /**
   * When it happened what a record tells, in ms since 1970, such as `(order) => order.placedAt`; the record's timestamp in the
   * topic when left out. The order in which a task takes records of several topics, stream time and all steps go by it.
   */
  readonly timestamp?: TimestampOf<K, V>;
  /** What becomes of a record whose timestamp is no whole number from 0 on. */
  readonly onInvalidTimestamp?: InvalidTimestampPolicy;
}

/**
 * A topic: a stream of records when a pipeline starts with it, a target when one ends in it.
 *
 * @public
 */
export class Topic<K, V> extends Stream<StreamRecord<K, V, PlacementOf<K>>> {
  readonly name: string;
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;
  readonly onRecordError: RecordPolicy | undefined;
  /** @internal */
  readonly use: TopicUse;

  /** @internal */
  constructor(name: string, options: TopicOptions<K, V>) {
    const use = topicUse('topic', name, options);
    super({
      kind: 'source',
      traits: { keepsTime: true },
      name: 'topic',
      detail: name,
      topics: [use],
      discover() {},
      attach(subscriber, task) {
        task.consume(use, {
          key: use.key,
          value: use.value,
          tombstones: false,
          table: false,
          deliver: (record) => subscriber.next(record as StreamRecord<K, V, PlacementOf<K>>),
          complete: () => subscriber.complete(),
        });
      },
    });
    this.name = name;
    this.key = options.key;
    this.value = options.value;
    this.onRecordError = options.onRecordError;
    this.use = use;
  }
}

/**
 * Names a topic and says how its records are read and written. Nothing is opened: a topic is a description that any
 * number of pipelines and clients share.
 *
 * With `timestamp` the value says when it happened what a record tells, and everything goes by that: in which order a task takes the
 * records of its topics, stream time, windows, joins. It is asked once per record. What it returns must be a whole number of
 * milliseconds from 0 on, else the record fails (`ERR_TIMESTAMP`) or gets what `onInvalidTimestamp` says. What is written to the topic
 * keeps its own timestamp, and a topic of `through` cannot have it.
 *
 * ```text
 * topic('clicks', { timestamp: (click) => click.at, … })
 *
 * in the topic  --a:{at: 5}(100)----b:{at: 7}(101)--|
 * the stream    --a:{at: 5}(5)------b:{at: 7}(7)----|
 * ```
 *
 * @param name - Letters, digits, `.`, `_` and `-`, at most 249.
 * @param options - Serdes, and what else is known about the topic.
 * @throws ConfigError `ERR_TOPIC_NAME`, `ERR_SERDE`, `ERR_OPTION`, `ERR_ASYNC_FUNCTION`.
 *
 * @example
 * ```ts
 * import { json, string, topic } from 'millrace';
 * import { z } from 'zod';
 *
 * const orders = topic('orders', { key: string(), value: json(z.object({ total: z.number() })) });
 * console.log(orders.name); // => orders
 * ```
 * @public
 */
export function topic<V, K = null>(name: string, options: TopicOptions<K, V>): Topic<K, V>;
/**
 * Reads all topics whose names match a pattern as one stream. `record.topic` says where a record comes from.
 *
 * Topics are found when the application starts, and while it runs: one that is added is read from its first record, within a
 * second or so. A start without any ends with `ERR_UNKNOWN_TOPIC`. Topics that the pipeline names itself, that it or another
 * application has made for itself, and that begin with two underscores never match. Partitions of the same number are read by one
 * task: where steps need keys, all topics must have the same number of partitions (`ERR_NOT_COPARTITIONED`), else each may
 * have its own. A topic that is deleted ends the application, as every source does.
 *
 * @param pattern - Over names of topics; anchor it: `/^orders-/`.
 * @param options - Serdes of all of them.
 *
 * @example
 * ```ts
 * import { json, mapValues, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const shops = topic(/^orders-/, { key: string(), value: json<{ total: number }>() });
 * const totals = topic('totals', { key: string(), value: string() });
 * const driver = new TestDriver(shops.pipe(mapValues(({ total }, { topic }) => `${topic}: ${total}`), to(totals)));
 * const berlin = topic('orders-berlin', { key: string(), value: json<{ total: number }>() });
 * driver.pipe(berlin, { key: '1', value: { total: 7 } });
 * console.log(driver.read(totals)[0]?.value);
 * // => orders-berlin: 7
 * ```
 * @public
 */
export function topic<V, K = null>(pattern: RegExp, options: TopicPatternOptions<K, V>): TopicPattern<K, V>;
/**
 * Fits nothing that the others refuse. The compiler explains the last overload when none fits, and explains best where it has
 * nothing to infer: a misspelt option is told as one.
 *
 * @public
 */
// oxlint-disable-next-line typescript/no-explicit-any
export function topic(name: string, options: TopicOptions<any, any>): Topic<never, never>;
export function topic<V, K = null>(name: string | RegExp, options: TopicOptions<K, V>): unknown {
  if (!(name instanceof RegExp)) return new Topic(name, options);
  checkPatternOptions(name, options);
  const use = usedAs('topic', `${name}`, options, {});
  return new TopicPattern<K, V>(name, { ...use, takes: nameTest(name) });
}

const TOPIC_OPTIONS: OptionNames<TopicOptions<unknown, unknown>> = {
  key: true,
  value: true,
  partitions: true,
  config: true,
  onRecordError: true,
  idle: true,
  timestamp: true,
  onInvalidTimestamp: true,
};

/**
 * Checks a topic's name and options and describes how the topic is used.
 *
 * @param kind - What it is declared as: `topic`, `table`.
 * @param more - Names of options that this kind has beside those of every topic.
 */
export function topicUse<K, V>(
  kind: string,
  name: string,
  options: TopicOptions<K, V>,
  more: Readonly<Record<string, true>> = {},
): TopicUse {
  checkTopicName(name);
  return usedAs(kind, name, options, more);
}

function usedAs<K, V>(
  kind: string,
  name: string,
  options: TopicOptions<K, V>,
  more: Readonly<Record<string, true>>,
): TopicUse {
  checkNames(`${kind} ${name}`, options ?? {}, { ...TOPIC_OPTIONS, ...more });
  checkSerde(kind, name, 'value', options?.value);
  if (options.key !== undefined) checkSerde(kind, name, 'key', options.key);
  checkWhole(`${kind} ${name}`, 'partitions', options.partitions, 1);
  checkNames(`${kind} ${name}: config`, options.config ?? {}, TOPIC_CONFIG);
  checkTopicConfig(`${kind} ${name}: config`, options.config ?? {});
  checkPolicy(`${kind} ${name}`, options.onRecordError);
  checkTimestamps(`${kind} ${name}`, options);
  return {
    name,
    value: options.value as Serde<unknown>,
    ...(options.key === undefined ? {} : { key: options.key as Serde<unknown> }),
    ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.onRecordError === undefined ? {} : { onRecordError: options.onRecordError }),
    ...(options.idle === undefined ? {} : { idleMs: idleMsOf(`${kind} ${name}`, options.idle) }),
    ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
    ...(options.onInvalidTimestamp === undefined ? {} : { onInvalidTimestamp: options.onInvalidTimestamp }),
  };
}

function checkSerde(kind: string, name: string, part: 'key' | 'value', serde: unknown): void {
  const { deserialize, serialize } = (serde ?? {}) as { readonly deserialize?: unknown; readonly serialize?: unknown };
  if (typeof serialize === 'function' && typeof deserialize === 'function') return;
  if (serde === undefined || serde === null) {
    throw new ConfigError('ERR_SERDE', `${kind} ${name} has no ${part} serde`, {
      hint: `say how ${part}s are read and written: topic('${name}', { ${part}: json() })`,
    });
  }
  const call = typeof serde === 'function' && serde.name !== '' ? `call it: ${part}: ${serde.name}()` : undefined;
  throw new ConfigError('ERR_SERDE', `the ${part} serde of ${kind} ${name} is ${show(serde)}`, {
    hint: call ?? `give a serde, such as ${part}: json() or ${part}: json(schema)`,
  });
}
