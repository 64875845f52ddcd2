/** Sixteen tables of 256 entries: entry `t * 256 + b` is the checksum of byte `b` followed by `t` zero bytes. */
const TABLES: Int32Array = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
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

/** The words below are read in the byte order of the machine, which must be that of the checksum. */
const LITTLE_ENDIAN: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Below this length, in bytes, single bytes take less time than a view of words: entries of stores are that short. */
const SHORT = 96;

/**
 * CRC-32C (Castagnoli) of `bytes[start, end)` as an unsigned 32-bit integer.
 *
 * Sixteen bytes per step ("slicing by 16"), read as aligned words: a third faster than single bytes or eight per step.
 */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const t = TABLES;
  let crc = -1;
  let i = start;
  const words = LITTLE_ENDIAN && end - start >= SHORT;
  const aligned = words ? start + (-(bytes.byteOffset + start) & 3) : start;
  while (i < aligned) crc = (crc >>> 8) ^ t[(crc ^ bytes[i++]!) & 0xff]!;
  const steps = words ? (end - i) >>> 4 : 0;
  if (steps > 0) {
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + i, steps * 4);
    for (let w = 0; w < view.length; w += 4) {
      const a = view[w]! ^ crc;
      const b = view[w + 1]!;
      const c = view[w + 2]!;
      const d = view[w + 3]!;
      crc =
        t[0xf00 + (a & 0xff)]! ^
        t[0xe00 + ((a >>> 8) & 0xff)]! ^
        t[0xd00 + ((a >>> 16) & 0xff)]! ^
        t[0xc00 + (a >>> 24)]! ^
        t[0xb00 + (b & 0xff)]! ^
        t[0xa00 + ((b >>> 8) & 0xff)]! ^
        t[0x900 + ((b >>> 16) & 0xff)]! ^
        t[0x800 + (b >>> 24)]! ^
        t[0x700 + (c & 0xff)]! ^
        t[0x600 + ((c >>> 8) & 0xff)]! ^
        t[0x500 + ((c >>> 16) & 0xff)]! ^
        t[0x400 + (c >>> 24)]! ^
        t[0x300 + (d & 0xff)]! ^
        t[0x200 + ((d >>> 8) & 0xff)]! ^
        t[0x100 + ((d >>> 16) & 0xff)]! ^
        t[d >>> 24]!;
    }
    i += steps * 16;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
