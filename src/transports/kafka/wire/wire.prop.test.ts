import { array, bigInt, boolean, assert as check, integer, property, string, tuple, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BadResponse, WireReader } from './reader.ts';
import { WireWriter } from './writer.ts';

const int64 = integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
const item = tuple(
  integer({ min: -128, max: 127 }),
  integer({ min: -32_768, max: 32_767 }),
  integer(),
  int64,
  bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  string({ unit: 'grapheme' }),
  uint8Array({ maxLength: 9000 }),
  boolean(),
);

function bytesOf(writer: WireWriter): Uint8Array {
  return Buffer.concat(writer.pieces());
}

describe('the wire format', () => {
  it('brings back what was written, also in the flexible versions', () => {
    check(
      property(array(item, { maxLength: 20 }), boolean(), (items, flexible) => {
        const writer = new WireWriter();
        const list = flexible ? writer.compactArray.bind(writer) : writer.array.bind(writer);
        list(items, ([a, b, c, d, e, text, bytes, flag]) => {
          writer.int8(a).int16(b).int32(c).int64(d).bigint64(e).bytes(bytes).boolean(flag);
          if (flexible) writer.compactString(text).tags();
          else writer.string(text);
        });
        const reader = new WireReader(bytesOf(writer));
        const read = (): unknown => {
          const numbers = [reader.int8(), reader.int16(), reader.int32(), reader.int64(), reader.bigint64()];
          const [bytes, flag] = [Uint8Array.from(reader.bytes()), reader.boolean()];
          const text = flexible ? reader.compactString() : reader.string();
          if (flexible) reader.tags();
          return [...numbers, text, bytes, flag];
        };
        expect(flexible ? reader.compactArray(read) : reader.array(read)).toEqual(items);
      }),
    );
  });

  it('refuses a response that ends too soon, whatever it claims to hold', () => {
    check(
      property(uint8Array({ maxLength: 40 }), (bytes) => {
        const reader = new WireReader(bytes);
        const readOn = (): never => {
          for (;;) reader.array(() => reader.string());
        };
        expect(readOn).toThrow(BadResponse);
      }),
    );
  });
});
