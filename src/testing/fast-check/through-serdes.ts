import type { Serde } from '../../serdes/serde.ts';

/** The serdes of a topic, of which records of tests and rows of models know nothing. */
export interface Serdes<K, V> {
  readonly key: Serde<K> | undefined;
  readonly value: Serde<V>;
}

interface KeyAndValue<K, V> {
  readonly key?: K | null;
  readonly value: V | null;
}

/**
 * What is read after something was written: a topic may hold less than a program has, such as 0 for −0, a text for a
 * Date in JSON, or no field for `undefined`.
 *
 * @throws what the serdes throw.
 */
export function throughSerdes<K, V, R extends KeyAndValue<K, V>>(
  serdes: Serdes<K, V>,
  record: R,
): R & { readonly key: K | null } {
  const key = serdes.key === undefined ? null : again(serdes.key, record.key);
  return { ...record, key, value: again(serdes.value, record.value) };
}

/** Records as a pipeline reads them; unchanged where it cannot read them. */
export function asRead<K, V, R extends KeyAndValue<K, V>>(serdes: (record: R) => Serdes<K, V>, all: readonly R[]): R[] {
  return all.map((record) => {
    try {
      return throughSerdes<K, V, R>(serdes(record), record);
    } catch {
      return record;
    }
  });
}

function again<T>(serde: Serde<T>, data: T | null | undefined): T | null {
  return data === null || data === undefined ? null : serde.deserialize(serde.serialize(data));
}
