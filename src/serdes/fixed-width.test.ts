import { describe, expect, it } from 'vitest';
import { bytes } from './bytes.ts';
import { float64 } from './float64.ts';
import { int32 } from './int32.ts';
import { int64 } from './int64.ts';
import { uuid } from './uuid.ts';

const hex = (of: Uint8Array): string => Buffer.from(of).toString('hex');

describe('int32', () => {
  it.each([
    [0, '00000000'],
    [1, '00000001'],
    [-1, 'ffffffff'],
    [2147483647, '7fffffff'],
    [-2147483648, '80000000'],
    [0x01020304, '01020304'],
  ])('writes %d as Java does', (value, expected) => {
    expect(hex(int32().serialize(value))).toBe(expected);
    expect(int32().deserialize(int32().serialize(value))).toBe(value);
  });
  it.each([2147483648, -2147483649, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (value) => {
    expect(() => int32().serialize(value)).toThrow(`int32 cannot write ${value}, which is not a 32-bit integer`);
  });
});

describe('int64', () => {
  it.each([
    [0n, '0000000000000000'],
    [-1n, 'ffffffffffffffff'],
    [2n ** 63n - 1n, '7fffffffffffffff'],
    [-(2n ** 63n), '8000000000000000'],
    [1700000000000n, '0000018bcfe56800'],
  ])('writes %d as Java does', (value, expected) => {
    expect(hex(int64().serialize(value))).toBe(expected);
    expect(int64().deserialize(int64().serialize(value))).toBe(value);
  });
  it('refuses more than 64 bits and plain numbers', () => {
    expect(() => int64().serialize(2n ** 63n)).toThrow('int64 cannot write a bigint of more than 64 bits');
    // @ts-expect-error a number is not exact enough
    expect(() => int64().serialize(5)).toThrow('int64 cannot write a number – give a bigint');
  });
});

describe('float64', () => {
  it.each([
    [1, '3ff0000000000000'],
    [-0, '8000000000000000'],
    [0.1, '3fb999999999999a'],
    [Number.POSITIVE_INFINITY, '7ff0000000000000'],
    [Number.NaN, '7ff8000000000000'],
  ])('writes %d as Java does', (value, expected) => {
    expect(hex(float64().serialize(value))).toBe(expected);
    expect(float64().deserialize(float64().serialize(value))).toBe(value);
  });
});

describe('uuid', () => {
  const text = '6f1ed002-ab59-4d5a-9c0e-5b2b2f1f0a3c';
  it('writes the 36 characters that Java writes, in lower case', () => {
    expect(Buffer.from(uuid().serialize(text.toUpperCase())).toString()).toBe(text);
    expect(uuid().toText?.(text.toUpperCase())).toBe(text);
    expect(uuid().deserialize(new TextEncoder().encode(text.toUpperCase()))).toBe(text);
  });
  it.each(['', 'abc', text.replaceAll('-', ''), `${text}\n`, text.replace('6', 'g')])('refuses %j', (wrong) => {
    expect(() => uuid().serialize(wrong)).toThrow('uuid cannot write a text that is not a UUID');
    expect(() => uuid().deserialize(new TextEncoder().encode(wrong))).toThrow(
      'uuid cannot read bytes that are not a UUID',
    );
  });
});

describe('bytes', () => {
  it.each([0, 5, 48, 49, 3000])('reads a copy of %d bytes', (length) => {
    const source = Uint8Array.from({ length: length + 2 }, (_, i) => i);
    const read = bytes().decodeRange?.(source, 1, length + 1);
    const expected = source.slice(1, length + 1);
    source.fill(0);
    expect(read).toEqual(expected);
  });
  it('reads a Uint8Array also from a Buffer', () => {
    expect(bytes().deserialize(Buffer.from('ab')).constructor).toBe(Uint8Array);
  });
  it('refuses what is no Uint8Array', () => {
    // @ts-expect-error a program in JavaScript may pass anything
    expect(() => bytes().serialize('text')).toThrow('bytes cannot write a string');
  });
});

describe('serdes of fixed width', () => {
  it.each([int32(), int64(), float64()])('$name reads from the middle and refuses other lengths', (serde) => {
    const width = serde.name === 'int32' ? 4 : 8;
    for (const length of [0, width - 1, width + 1]) {
      expect(() => serde.deserialize(new Uint8Array(length))).toThrow(`cannot read anything but ${width} bytes`);
    }
    const padded = new Uint8Array(width + 2).fill(0xff);
    padded.fill(0, 1, width + 1);
    expect(Number(serde.decodeRange?.(padded, 1, width + 1))).toBe(0);
  });
});
