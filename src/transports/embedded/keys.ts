import { readUint32, writeUint32 } from './uint32.ts';

/** Keys of records: topic id, partition, offset, big-endian, so that bytes sort as numbers do. */
export const RECORD_KEY_BYTES = 16;
const TWO_32 = 4_294_967_296;

export function recordKey(topicId: number, partition: number, offset: number): Uint8Array {
  const key = new Uint8Array(RECORD_KEY_BYTES);
  writeUint32(key, 0, topicId);
  writeUint32(key, 4, partition);
  writeUint32(key, 8, Math.floor(offset / TWO_32));
  writeUint32(key, 12, offset >>> 0);
  return key;
}

export function offsetOfKey(key: Uint8Array): number {
  return readUint32(key, 8) * TWO_32 + readUint32(key, 12);
}

export function topicIdOfKey(key: Uint8Array): number {
  return readUint32(key, 0);
}

export function partitionOfKey(key: Uint8Array): number {
  return readUint32(key, 4);
}

const encoder = new TextEncoder();

/** A key of the `meta` database: one letter for the kind, then its parts. Parts contain no zero byte. */
export function metaKey(
  kind: 'format' | 'ids' | 'topic' | 'group' | 'gone' | 'owner' | 'store',
  ...parts: readonly string[]
): Uint8Array {
  return encoder.encode([kind, ...parts].join('\0'));
}

/** The key of a partition's state in the `meta` database. */
export function partitionKey(topicId: number, partition: number): Uint8Array {
  const key = new Uint8Array(9);
  // No kind starts with this byte.
  key[0] = 1;
  writeUint32(key, 1, topicId);
  writeUint32(key, 5, partition);
  return key;
}

/** The key of a state entry: the id of the store, then the key itself. */
export function stateKey(storeId: number, key: Uint8Array): Uint8Array {
  const full = new Uint8Array(4 + key.length);
  writeUint32(full, 0, storeId);
  full.set(key, 4);
  return full;
}

/** Longer keys are rare, and their arrays are not kept. */
const LONGEST_REUSED = 256;
const reused: (Uint8Array | undefined)[] = [];

/**
 * The same key in an array that the next call reuses, for calls of LMDB, which copy it at once: an array of its own takes longer than
 * what is written into it.
 */
export function stateKeyView(storeId: number, key: Uint8Array): Uint8Array {
  const { length } = key;
  if (length > LONGEST_REUSED) return stateKey(storeId, key);
  const full = (reused[length] ??= new Uint8Array(4 + length));
  writeUint32(full, 0, storeId);
  for (let at = 0; at < length; at += 1) full[4 + at] = key[at] as number;
  return full;
}

/** The first key after all keys that start with these bytes; `undefined` if there is none. */
export function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const next = prefix.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i] === 0xff) continue;
    next[i] = next[i]! + 1;
    return next.subarray(0, i + 1);
  }
  return undefined;
}
