import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

// The vectors of RFC 3720, B.4, and the usual check value.
test.each([
  ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ['nothing', new Uint8Array(0), 0],
])('the checksum of %s', (_title, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

test('every position and length gives what the bit-by-bit definition gives', () => {
  const memory = Uint8Array.from({ length: 128 }, (_, i) => (i * 167 + 13) & 0xff);
  for (let offset = 0; offset < 8; offset++) {
    const bytes = memory.subarray(offset);
    for (let start = 0; start < 8; start++) {
      for (let end = start; end <= 80; end++) {
        expect(crc32c(bytes, start, end), `offset ${offset}, ${start} to ${end}`).toBe(bitByBit(bytes, start, end));
      }
    }
  }
});

function bitByBit(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(start, end)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
