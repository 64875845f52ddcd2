import { StoreError } from '../../errors.ts';
import { crc32c } from '../../protocol/crc32c.ts';
import { readUint32, writeUint32 } from './uint32.ts';

const SEAL_BYTES = 4;
const SHORT = 64;
let scratch = new Uint8Array(256);
/** The last view. It lies outside the heap, so that its address stays. */
let shared = new Uint8Array(4096);

function checksum(key: Uint8Array, value: Uint8Array, from: number): number {
  // The checksum includes the key, so that a value under a wrong key is noticed.
  const size = key.length + value.length - from;
  if (scratch.length < size) scratch = new Uint8Array(size * 2);
  copyInto(scratch, 0, key, 0);
  copyInto(scratch, key.length, value, from);
  return crc32c(scratch, 0, size);
}

/** Most keys and values are short, and then a loop takes less time than the built-in copy, which also needs a view. */
function copyInto(into: Uint8Array, at: number, bytes: Uint8Array, from: number): void {
  if (bytes.length > SHORT) into.set(from === 0 ? bytes : bytes.subarray(from), at);
  else for (let i = from, to = at; i < bytes.length; i++, to++) into[to] = bytes[i]!;
}

/** The stored form of a value: CRC-32C of key and value, then the value. LMDB itself has no checksums. */
export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(SEAL_BYTES + value.length);
  copyInto(sealed, SEAL_BYTES, value, 0);
  writeUint32(sealed, 0, checksum(key, value, 0));
  return sealed;
}

/**
 * The same as a view of a buffer that the next call reuses, for writes that copy it at once: LMDB takes the address of a
 * value, and of a small array of its own that costs more than the write.
 */
export function sealedView(key: Uint8Array, value: Uint8Array): Uint8Array {
  const size = key.length + value.length;
  // The checksum takes the place of the last bytes of the key, which is not needed any more.
  const from = Math.max(SEAL_BYTES, key.length);
  const end = from + value.length;
  if (shared.length < end) shared = new Uint8Array(end * 2);
  const start = from - key.length;
  for (let at = 0; at < key.length; at += 1) shared[start + at] = key[at] as number;
  shared.set(value, from);
  writeUint32(shared, from - SEAL_BYTES, crc32c(shared, start, start + size));
  return shared.subarray(from - SEAL_BYTES, end);
}

/** Whether key and value are what was written. */
export function isSound(key: Uint8Array, sealed: Uint8Array): boolean {
  return sealed.length >= SEAL_BYTES && readUint32(sealed, 0) === checksum(key, sealed, SEAL_BYTES);
}

/** The value that was sealed. @throws StoreError `ERR_CORRUPT_LOG` if key or value are not what was written. */
export function unseal(key: Uint8Array, sealed: Uint8Array, what: string): Uint8Array {
  if (!isSound(key, sealed)) throw wrongChecksum(what);
  return new Uint8Array(sealed.buffer, sealed.byteOffset + SEAL_BYTES, sealed.length - SEAL_BYTES);
}

/**
 * The value that was sealed, in bytes of its own; `undefined` if key or value are not what was written.
 *
 * @param sealed - Need not last: LMDB reads into a buffer that it uses again, and gives it the `length` of what it has read.
 */
export function unsealedCopy(key: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  const length = sealed.length - SEAL_BYTES;
  if (length < 0) return undefined;
  const value = new Uint8Array(length);
  if (length > SHORT) value.set(new Uint8Array(sealed.buffer, sealed.byteOffset + SEAL_BYTES, length));
  else for (let at = 0; at < length; at += 1) value[at] = sealed[SEAL_BYTES + at] as number;
  return readUint32(sealed, 0) === checksum(key, value, 0) ? value : undefined;
}

/** The error for an entry whose checksum is not that of its key and value. */
export function wrongChecksum(what: string): StoreError {
  return corruptLog(`${what} does not match its checksum`);
}

/** The error for a log that cannot be trusted. */
export function corruptLog(reason: string, path?: string, cause?: unknown): StoreError {
  const where = path === undefined ? '' : ` in ${path}`;
  return new StoreError('ERR_CORRUPT_LOG', `The embedded log${where} is damaged: ${reason}`, {
    hint: 'stop all processes that use the folder and copy what is readable with salvage(path, target); the damaged files are left as they are',
    cause,
  });
}
