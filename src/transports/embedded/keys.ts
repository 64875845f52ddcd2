/** Keys of records: topic id, partition, offset, big-endian, so that bytes sort as numbers do. */
export const RECORD_KEY_BYTES = 16;
const TWO_32 = 4_294_967_296;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function recordKey(topicId: number, partition: number, offset: number): Uint8Array {
  const key = new Uint8Array(RECORD_KEY_BYTES);
  const view = viewOf(key);
  view.setUint32(0, topicId);
  view.setUint32(4, partition);
  view.setUint32(8, Math.floor(offset / TWO_32));
  view.setUint32(12, offset >>> 0);
  return key;
}

export function offsetOfKey(key: Uint8Array): number {
  const view = viewOf(key);
  return view.getUint32(8) * TWO_32 + view.getUint32(12);
}

export function topicIdOfKey(key: Uint8Array): number {
  return viewOf(key).getUint32(0);
}

export function partitionOfKey(key: Uint8Array): number {
  return viewOf(key).getUint32(4);
}

const encoder = new TextEncoder();

/** A key of the `meta` database: one letter for the kind, then its parts. Parts hold no zero byte. */
export function metaKey(
  kind: 'format' | 'ids' | 'topic' | 'group' | 'owner' | 'store',
  ...parts: readonly string[]
): Uint8Array {
  return encoder.encode([kind, ...parts].join('\0'));
}

/** The key of a partition's state in the `meta` database. */
export function partitionKey(topicId: number, partition: number): Uint8Array {
  const key = new Uint8Array(9);
  // No kind begins with this byte.
  key[0] = 1;
  const view = viewOf(key);
  view.setUint32(1, topicId);
  view.setUint32(5, partition);
  return key;
}

/** The key of a state entry: id of the store, then the key itself. */
export function stateKey(storeId: number, key: Uint8Array): Uint8Array {
  const full = new Uint8Array(4 + key.length);
  viewOf(full).setUint32(0, storeId);
  full.set(key, 4);
  return full;
}

/** The first key after all keys that begin with these bytes; `undefined` when there is none. */
export function afterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  const next = prefix.slice();
  for (let i = next.length - 1; i >= 0; i--) {
    if (next[i] === 0xff) continue;
    next[i] = next[i]! + 1;
    return next.subarray(0, i + 1);
  }
  return undefined;
}
