import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import { type Target, targetUse } from '../dataflow/target.ts';
import { ConfigError } from '../errors.ts';
import { checkNames, checkOneOf, type OptionNames } from '../options/option-checks.ts';
import { checkSync, settled } from '../options/promises.ts';
import type { Headers, StreamRecord } from '../record.ts';
import { sink } from './sink.ts';

/** What a sink may set on the records it writes. @public */
export interface ToOptions<R> {
  /** Headers to write; those of the record by default. */
  readonly headers?: (record: R) => Headers;
  /** Timestamp to write, in ms; that of the record by default. */
  readonly timestamp?: (record: R) => number;
  /**
   * `headers`: the bounds of a record's window go along as the headers `millrace.window.start` and `millrace.window.end`, in
   * ms since the epoch as text (`Infinity` for a window that never ends). Left out, a topic knows nothing of the window. To
   * write it into the key see {@link windowedKey}.
   */
  readonly window?: 'headers';
}

/** Options of a sink that chooses the topic by record. @public */
export interface PickOptions<R, K, V> extends ToOptions<R> {
  /** Every topic that may be picked: they are checked and created before the first record. */
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
 * The partition is that of the key, by murmur2 as in Kafka's own clients; records without a key go to one partition after
 * the other, batch by batch. A null value is a tombstone. On the embedded log readers see the records with the commit of
 * the stage, exactly once; a restart repeats none.
 *
 * @param target - A topic; or a function that picks one by record, with all that it may pick in `options.topics`.
 * @throws ConfigError `ERR_SINK_TOPICS` when a function comes without its topics; `ERR_OPTION`.
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
