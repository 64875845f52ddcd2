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

/** How to read and write the records of a topic. @public */
export interface TopicOptions<K, V> {
  /** Without it, records are read and written without a key. */
  readonly key?: Serde<K>;
  readonly value: Serde<V>;
  /**
   * The number of partitions. A topic with this option is created if missing; an existing topic with a different number
   * is refused when the application starts.
   */
  readonly partitions?: number;
  /** Configuration to create the topic with if it is missing; an existing topic is not changed. */
  readonly config?: TopicConfig;
  /** What to do with a failed record of this topic, instead of the application's `onRecordError`. */
  readonly onRecordError?: RecordPolicy;
  /**
   * Replaces the application's `idle` for tasks that read this topic. If a task reads several topics with this option,
   * the longest applies.
   */
  readonly idle?: Duration;
  /**
   * When the event of a record happened, in ms since 1970, such as `(order) => order.placedAt` (default: the record's
   * timestamp in the topic). It determines the order in which a task takes records of several topics, stream time, and
   * the time that all steps use.
   */
  readonly timestamp?: TimestampOf<K, V>;
  /** What to do with a record whose timestamp is not a whole number, 0 or more. */
  readonly onInvalidTimestamp?: InvalidTimestampPolicy;
}

/**
 * A topic: a stream of records at the start of a pipeline, a target at the end of one.
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
 * Names a topic and describes how to read and write its records. Nothing is opened: a topic is a description that any
 * number of pipelines and clients can share.
 *
 * With `timestamp` a function takes the time of the event from the record, and everything uses that time: the order in
 * which a task takes the records of its topics, stream time, windows, joins. It is called once per record and must
 * return a whole number of milliseconds, 0 or more; otherwise the record fails (`ERR_TIMESTAMP`), or
 * `onInvalidTimestamp` decides. Records written to the topic keep their own timestamp. A topic of `through` cannot have
 * this option.
 *
 * ```text
 * topic('clicks', { timestamp: (click) => click.at, … })
 *
 * in the topic  --a:{at: 5}(100)----b:{at: 7}(101)--|
 * the stream    --a:{at: 5}(5)------b:{at: 7}(7)----|
 * ```
 *
 * @param name - Letters, digits, `.`, `_` and `-`, at most 249.
 * @param options - Serdes, and anything else about the topic.
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
 * Reads all topics whose names match a pattern as one stream. `record.topic` is the topic that a record comes from.
 *
 * Topics are found when the application starts and while it runs: a new topic is read from its first record, within a
 * second or so. If none exists at the start, the application ends with `ERR_UNKNOWN_TOPIC`. Topics that the pipeline
 * names itself, internal topics of this or another application, and topics that begin with two underscores never match.
 * One task reads the partitions with the same number: if steps need keys, all topics must have the same number of
 * partitions (`ERR_NOT_COPARTITIONED`); otherwise the numbers may differ. Deleting a topic ends the application, as for
 * every source.
 *
 * @param pattern - Matched against topic names; anchor it: `/^orders-/`.
 * @param options - Serdes for all of them.
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
 * Accepts nothing that the other overloads refuse. If no overload matches, the compiler explains the last one, and it
 * explains best when it has nothing to infer: a misspelt option is then reported as such.
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
 * @param kind - How it is declared: `topic`, `table`.
 * @param more - Names of options that this kind has in addition to those of every topic.
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
