import { assert, maxSafeNat, nat, property, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { readUint32, writeUint32 } from './uint32.ts';

it('writes and reads what a DataView does', () => {
  assert(
    property(nat(2 ** 32 - 1), nat(4), uint8Array({ minLength: 8, maxLength: 8 }), (value, at, bytes) => {
      const expected = bytes.slice();
      new DataView(expected.buffer).setUint32(at, value);
      writeUint32(bytes, at, value);
      expect(bytes).toEqual(expected);
      expect(readUint32(bytes, at)).toBe(value);
    }),
  );
});

it('writes the lowest 32 bits of larger numbers', () => {
  assert(
    property(maxSafeNat(), (value) => {
      const bytes = new Uint8Array(4);
      writeUint32(bytes, 0, value >>> 0);
      expect(readUint32(bytes, 0)).toBe(Number(BigInt(value) & 0xffff_ffffn));
    }),
  );
});
