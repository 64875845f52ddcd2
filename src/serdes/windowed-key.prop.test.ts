import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { int32 } from './int32.ts';
import { string } from './string.ts';
import { windowedKey } from './windowed-key.ts';

const time = fc.maxSafeNat();

describe('windowedKey', () => {
  it('gives back what was written', () => {
    const serde = windowedKey(string());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), time, fc.oneof(time, fc.constant(Infinity)), (key, start, end) => {
        const read = serde.deserialize(serde.serialize({ key, start, end }));
        return read.key === key && read.start === start && read.end === end;
      }),
    );
  });

  it('writes the start alone for windows of one size', () => {
    const serde = windowedKey(int32(), { size: '1s' });
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(2 ** 50), (key, start) => {
        const bytes = serde.serialize({ key, start, end: start + 1000 });
        expect(bytes).toHaveLength(12);
        expect(serde.deserialize(bytes)).toEqual({ key, start, end: start + 1000 });
      }),
    );
  });

  it('has the bytes of Kafka Streams: the key, then 64-bit integers', () => {
    // SessionKeySchema.toBinary: key, end, start. WindowKeySchema without a sequence number: key, start.
    expect([...windowedKey(string()).serialize({ key: 'a', start: 1, end: 2 ** 32 })]).toEqual([
      97, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect([...windowedKey(string(), { size: '1m' }).serialize({ key: 'a', start: 60_000, end: 120_000 })]).toEqual([
      97, 0, 0, 0, 0, 0, 0, 0xea, 0x60,
    ]);
  });

  it('refuses bounds that are not times, windows of another size, and bytes that are too short', () => {
    const serde = windowedKey(string());
    for (const window of [
      { start: -1, end: 1 },
      { start: 0.5, end: 1 },
      { start: 0, end: Number.NaN },
    ]) {
      expect(() => serde.serialize({ key: 'a', ...window })).toThrow(/bound/);
    }
    expect(() => windowedKey(string(), { size: '1s' }).serialize({ key: 'a', start: 0, end: 1 })).toThrow(
      /1000 ms long/,
    );
    expect(() => serde.serialize({ key: null as never, start: 0, end: 1 })).toThrow(/without a key/);
    expect(() => serde.deserialize(new Uint8Array(15))).toThrow(/16 bytes/);
    expect(() => serde.deserialize(new Uint8Array(16).fill(0xff))).toThrow(/not times/);
  });
});
