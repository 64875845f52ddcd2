import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { type Target, targetUse } from '../dataflow/target.ts';
import { ConfigError } from '../errors.ts';
import { checkNames, checkOneOf, type OptionNames } from '../options/option-checks.ts';
import { checkSync, settled } from '../options/promises.ts';
import type { Headers, StreamRecord } from '../record.ts';
import { sink } from './sink.ts';

/** What a sink can set on the records that it writes. @public */
export interface ToOptions<R> {
  /** Headers to write (default: those of the record). */
  readonly headers?: (record: R) => Headers;
  /** Timestamp to write, in ms since the epoch (default: that of the record). */
  readonly timestamp?: (record: R) => number;
  /**
   * `headers`: writes the bounds of a record's window as the headers `millrace.window.start` and `millrace.window.end`,
   * in ms since the epoch as text (`Infinity` for a window that never ends). Without this option the window is not
   * written. To write it into the key, see {@link windowedKey}.
   */
  readonly window?: 'headers';
}

/** Options of a sink that chooses a topic for each record. @public */
export interface PickOptions<R, K, V> extends ToOptions<R> {
  /** Every topic that may be picked. They are checked and created before the first record. */
  readonly topics: readonly Target<K, V>[];
}

const TO_OPTIONS: OptionNames<PickOptions<never, never, never>> = {
  topics: true,
  headers: true,
  timestamp: true,
  window: true,
};

/**
 * Writes each record to a topic and passes it on.
 *
 * ```text
 * to(report)
 *
 * source  --a:1----b:2--|
 * report  ----------[a:1 b:2]   written in batches, acknowledged before the input offsets are committed
 * result  --a:1----b:2--|
 * ```
 *
 * The key determines the partition, by murmur2 as in Kafka's own clients. Records without a key go to the partitions in
 * turn, batch by batch. A null value is a tombstone. On the embedded log, readers see the records when the stage
 * commits, exactly once; a restart repeats none.
 *
 * @param target - A topic, or a function that picks one for each record from those in `options.topics`.
 * @throws ConfigError `ERR_SINK_TOPICS` if a function is given without its topics; `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<number>() });
 * const copy = topic('copy', { key: string(), value: json<number>() });
 * const driver = new TestDriver(orders.pipe(to(copy, { timestamp: ({ timestamp }) => timestamp + 1 })));
 * driver.pipe(orders, { key: 'a', value: 1, timestamp: 41 });
 * console.log(driver.read(copy)[0]?.timestamp);
 * // => 42
 * ```
 * @public
 */
export function to<K, V, R extends StreamRecord<K, V | null, unknown>>(
  target: Target<K, V>,
  options?: ToOptions<R>,
): MonoTypeOperatorFunction<R>;
/** @public */
export function to<K, V, R extends StreamRecord<K, V | null, unknown>>(
  pick: (record: R) => Target<K, V>,
  options: PickOptions<R, K, V>,
): MonoTypeOperatorFunction<R>;
export function to<K, V, R extends StreamRecord<K, V | null, unknown>>(
  target: Target<K, V> | ((record: R) => Target<K, V>),
  options: ToOptions<R> & { readonly topics?: readonly Target<K, V>[] } = {},
): MonoTypeOperatorFunction<R> {
  checkNames('to', options, TO_OPTIONS);
  checkSync('to', options.headers);
  checkSync('to', options.timestamp);
  checkOneOf('to', 'window', options.window, ['headers']);
  const { topics, ...rest } = options;
  if (typeof target !== 'function') {
    const use = targetUse('to(…)', target);
    return (source: Observable<R>) => sink(source, { name: 'to', topics: [use], pick: undefined, ...rest });
  }
  if (!Array.isArray(topics) || topics.length === 0) {
    throw new ConfigError('ERR_SINK_TOPICS', 'to(…) was given a function but no topics', {
      hint: 'list every topic that the function may return: to(pick, { topics: [a, b] })',
    });
  }
  checkSync('to', target);
  const uses = topics.map((topic) => targetUse('to(…)', topic));
  return (source: Observable<R>) =>
    sink(source, { name: 'to', topics: uses, pick: (record) => settled(target(record))?.use, ...rest });
}
