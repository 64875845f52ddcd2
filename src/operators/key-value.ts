import { checkNames } from '../options/option-checks.ts';
import type { Serde } from '../serdes/serde.ts';
import { checkStoreName } from './keyed.ts';

/** The declaration of a store of a {@link process} step. @public */
export interface StoreDeclaration {
  readonly kind: 'key-value';
  /** Unique in a pipeline. It identifies the state: keep it when the pipeline changes. */
  readonly name: string;
}

/** Stands for the keys of the records that reach the step. @public */
export interface RecordKey {
  readonly of: 'the records of the step';
}

/** The declaration of a key-value store. @public */
export interface KeyValueDeclaration<K, V> extends StoreDeclaration {
  /** Undefined: the keys are those of the records that reach the step. */
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;
}

/**
 * A key-value store as a {@link process} step uses it. It has the entries of its own task; keys of other partitions are
 * in other tasks. Values are copies: modifying a value that was read has no effect until it is set.
 *
 * @public
 */
export interface KeyValue<K, V> {
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** @throws RecordError `ERR_ENCODE` if the serde cannot write the value. */
  set(key: K, value: V): void;
  delete(key: K): void;
  /** All entries, in order of their key bytes. */
  entries(): IterableIterator<readonly [key: K, value: V]>;
}

/**
 * Declares a key-value store of a {@link process} step.
 *
 * @param name - Letters, digits, `.`, `_` and `-`, unique in a pipeline; also the name of its changelog.
 * @param serdes - How values and keys are stored. Without `key`, the keys are those of the records.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { json, keyValue, process, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const prices = topic('prices', { key: string(), value: json<number>() });
 * const changes = topic('changes', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   prices.pipe(
 *     process({
 *       name: 'changes',
 *       stores: { last: keyValue('last-prices', { value: json<number>() }) },
 *       next({ value }, { emit, key, stores }) {
 *         emit(value - (stores.last.get(key) ?? value));
 *         stores.last.set(key, value);
 *       },
 *     }),
 *     to(changes),
 *   ),
 * );
 * driver.pipeAll(prices, [{ key: 'tea', value: 3 }, { key: 'tea', value: 5 }]);
 * console.log(driver.read(changes).map(({ value }) => value).join(', '), [...driver.store('last-prices').entries()][0]?.value);
 * // => 0, 2 5
 * ```
 * @public
 */
export function keyValue<V>(
  name: string,
  serdes: { readonly value: Serde<V>; readonly key?: undefined },
): KeyValueDeclaration<RecordKey, V>;
/** @public */
export function keyValue<V, K>(
  name: string,
  serdes: { readonly value: Serde<V>; readonly key: Serde<K> },
): KeyValueDeclaration<K, V>;
export function keyValue<V, K>(
  name: string,
  serdes: { readonly value: Serde<V>; readonly key?: Serde<K> | undefined },
): KeyValueDeclaration<K, V> {
  checkStoreName(name, 'keyValue');
  checkNames(`keyValue(${name})`, serdes, { key: true, value: true });
  return { kind: 'key-value', name, key: serdes.key, value: serdes.value };
}
