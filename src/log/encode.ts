import { ConfigError, RecordError } from '../errors.ts';
import { nearest } from '../options/nearest.ts';
import { show } from '../options/option-checks.ts';
import { partitionForKey, partitionForText } from '../protocol/partitioner.ts';
import type { Serde } from '../serdes/serde.ts';

/** The partition of a key, by murmur2 of its bytes, as Java's default partitioner; −1 (any) without a key. */
export function partitionOf(key: Uint8Array | string | null, partitions: number): number {
  if (key === null) return -1;
  return typeof key === 'string' ? partitionForText(key, partitions) : partitionForKey(key, partitions);
}

/** The encoded bytes, or the string that represents them; null for null. */
export function encode(
  serde: Serde<unknown>,
  data: unknown,
  topic: string,
  part: 'key' | 'value',
): Uint8Array | string | null {
  if (data === null || data === undefined) {
    // A null value is a tombstone, which every topic accepts, because everything may be deleted. A missing value is a
    // mistake.
    if (part === 'value' && data === undefined) throw noValue(topic);
    if (part === 'value' || serde.nullable === true) return null;
    throw new RecordError('ERR_NULL_KEY', `a record without a key cannot be written to topic ${topic}`, {
      hint: 'a function such as that of keyBy may have returned nothing; if records without a key belong there, give the topic the key serde nullable(…)',
    });
  }
  return serde.toText === undefined ? serde.serialize(data) : serde.toText(data);
}

function noValue(topic: string): RecordError {
  return new RecordError('ERR_ENCODE', `a record without a value cannot be written to topic ${topic}`, {
    hint: 'a function may have returned nothing; to delete a key, give it the value null',
  });
}

const FIELDS = ['key', 'value', 'timestamp', 'headers', 'partition'];

/**
 * Checks the names of a record's fields: a misspelt field would be ignored, and a record without its value deletes.
 *
 * @throws ConfigError `ERR_OPTION` with `written: 'no'`
 */
export function checkFields(topic: string, record: object): void {
  // Comparing one by one takes a third of the time of a look-up, and this runs per record.
  for (const name in record) {
    switch (name) {
      case 'key':
      case 'value':
      case 'timestamp':
      case 'headers':
      case 'partition':
      // Further fields of a record that was read, which may be written as it is.
      case 'topic':
      case 'offset':
      case 'window':
      case 'late':
      case 'commit':
        continue;
      default:
        throw unknownField(topic, name);
    }
  }
}

function unknownField(topic: string, name: string): ConfigError {
  const near = nearest(name, FIELDS);
  return new ConfigError('ERR_OPTION', `a record for topic ${topic} has the field ${show(name)}`, {
    topic,
    written: 'no',
    hint: near === undefined ? `its fields are ${FIELDS.join(', ')}` : `did you mean ${near}?`,
  });
}
