import { sha256 } from '../../protocol/sha256.ts';
import { compareBytes } from '../../state/key-codec.ts';
import { readUint32, writeUint32 } from './uint32.ts';

/** LMDB's maximum at a page size of 4 KiB, minus the number of the store. */
const MOST_BYTES = 1974;
const HASH_BYTES = 32;
/** Keys up to this length are stored unchanged and therefore in order. */
export const ORDERED_BYTES: number = MOST_BYTES - HASH_BYTES;

/** An entry in the database. */
export interface StoredEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * The database key for a key: the key itself or, if it is too long, its head and its SHA-256, which together are longer
 * than any other key. The value then contains the whole key.
 */
export function storedKey(key: Uint8Array): Uint8Array {
  if (key.length < MOST_BYTES) return key;
  const stored = new Uint8Array(MOST_BYTES);
  stored.set(key.subarray(0, ORDERED_BYTES));
  stored.set(sha256(key), ORDERED_BYTES);
  return stored;
}

export function storedValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  if (key.length < MOST_BYTES) return value;
  const stored = new Uint8Array(4 + key.length + value.length);
  writeUint32(stored, 0, key.length);
  stored.set(key, 4);
  stored.set(value, 4 + key.length);
  return stored;
}

/** The original entry of a stored one. */
export function originalEntry({ key, value }: StoredEntry): StoredEntry {
  if (key.length < MOST_BYTES || value.length < 4) return { key, value };
  const end = 4 + readUint32(value, 0);
  const whole = value.subarray(4, end);
  // Older versions stored keys of exactly this length unchanged.
  if (end > value.length || compareBytes(storedKey(whole), key) !== 0) return { key, value };
  return { key: whole.slice(), value: value.subarray(end) };
}

/**
 * Reorders entries from the order of stored keys to that of original keys: the two only differ among keys with the same
 * first {@link ORDERED_BYTES} bytes.
 */
export function* inOrder(entries: Iterable<StoredEntry>): Generator<StoredEntry> {
  let tied: StoredEntry[] = [];
  for (const entry of entries) {
    const [first] = tied;
    if (first !== undefined && !beginAlike(first.key, entry.key)) {
      yield* tied.sort(byKey);
      tied = [];
    }
    if (entry.key.length <= ORDERED_BYTES) yield entry;
    else tied.push(entry);
  }
  yield* tied.sort(byKey);
}

const byKey = (left: StoredEntry, right: StoredEntry): number => compareBytes(left.key, right.key);

function beginAlike(left: Uint8Array, right: Uint8Array): boolean {
  return compareBytes(left.subarray(0, ORDERED_BYTES), right.subarray(0, ORDERED_BYTES)) === 0;
}
