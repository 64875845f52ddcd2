/** Eight tables of 256 entries: entry `t * 256 + b` is the checksum of byte `b` followed by `t` zero bytes. */
const TABLES: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const previous = tables[i - 256] as number;
    tables[i] = (previous >>> 8) ^ (tables[previous & 0xff] as number);
  }
  return tables;
}

/**
 * CRC-32C (Castagnoli) of `bytes[start, end)` as an unsigned 32-bit integer.
 *
 * Eight bytes a step ("slicing by 8").
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const t = TABLES;
  let crc = -1;
  let i = start;
  for (const last = end - 7; i < last; i += 8) {
    crc =
      t[0x700 + ((bytes[i]! ^ crc) & 0xff)]! ^
      t[0x600 + ((bytes[i + 1]! ^ (crc >>> 8)) & 0xff)]! ^
      t[0x500 + ((bytes[i + 2]! ^ (crc >>> 16)) & 0xff)]! ^
      t[0x400 + (bytes[i + 3]! ^ (crc >>> 24))]! ^
      t[0x300 + bytes[i + 4]!]! ^
      t[0x200 + bytes[i + 5]!]! ^
      t[0x100 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
