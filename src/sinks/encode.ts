import { RecordError } from '../errors.ts';
import { partitionForKey, partitionForText } from '../protocol/partitioner.ts';
import type { Serde } from '../serdes/serde.ts';

/** murmur2 of the key bytes, as Java's default partitioner; −1, the writer's choice, without a key. */
export function partitionOf(key: Uint8Array | string | null, partitions: number): number {
  if (key === null) return -1;
  return typeof key === 'string' ? partitionForText(key, partitions) : partitionForKey(key, partitions);
}

/** Bytes, or the text that stands for them; null for null. */
export function encode(
  serde: Serde<unknown>,
  data: unknown,
  topic: string,
  part: 'key' | 'value',
): Uint8Array | string | null {
  if (data === null || data === undefined) {
    // A null value is a tombstone: lawful for every topic, because deleting is.
    if (part === 'value' || serde.nullable === true) return null;
    throw new RecordError('ERR_NULL_KEY', `a record without a key is written to topic ${topic}`, {
      hint: 'give the topic the key serde nullable(…) if records without a key belong there',
    });
  }
  return serde.toText === undefined ? serde.serialize(data) : serde.toText(data);
}
