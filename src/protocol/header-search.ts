import { MAX_HEADERS } from './header-limit.ts';
import { VarintReader } from './varint.ts';

const reader = new VarintReader();

/**
 * Whether headers that `parseRecords` has checked include one of this name. Decodes nothing, so it can be asked for every
 * record.
 *
 * @param start - Their position; −1 without headers.
 * @returns `false` also for more headers than are ever delivered.
 */
function hasHeader(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  if (start < 0) return false;
  reader.position = start;
  const count = reader.readInt(bytes);
  if (count > MAX_HEADERS) return false;
  for (let i = 0; i < count; i++) {
    const length = reader.readInt(bytes);
    const at = reader.position;
    if (length === name.length && isAt(bytes, at, name)) return true;
    reader.position = at + length;
    const valueLength = reader.readInt(bytes);
    if (valueLength > 0) reader.position += valueLength;
  }
  return false;
}

function isAt(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}

/**
 * Index of the first record from `from` on that has a header of this name, otherwise the number of records.
 *
 * @param starts - Where the headers of each record begin; −1 without headers.
 */
export function nextWithHeader(bytes: Uint8Array, starts: Int32Array, name: Uint8Array, from: number): number {
  let at = from;
  while (at < starts.length && !hasHeader(bytes, starts[at] as number, name)) at++;
  return at;
}
