import { decode, ExtData, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../errors.ts';
import { msgpack } from './msgpack.ts';

const serde = msgpack();
const raw = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
const again = (value: NonNullable<unknown>): unknown => serde.deserialize(serde.serialize(value));
const read = (...bytes: number[]): unknown => serde.deserialize(raw(...bytes));

describe('msgpack', () => {
  it.each([
    0,
    127,
    128,
    -1,
    -33,
    65536,
    4294967296,
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
    1.5,
    1e300,
    Infinity,
    true,
    '',
    'é'.repeat(300),
    [],
    {},
    [1, [2, [3]], null],
    { a: { b: ['c', null] }, d: 1.25, at: 1700000000000 },
  ])('writes %j so that other clients read it, and reads it back', (value) => {
    expect(decode(serde.serialize(value))).toEqual(value);
    expect(again(value)).toEqual(value);
    expect(serde.deserialize(encode(value))).toEqual(value);
  });

  it.each([
    [2n ** 53n, 'cf0020000000000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [2n ** 63n, 'cf8000000000000000'],
    [-(2n ** 53n), 'd3ffe0000000000000'],
    [-(2n ** 63n), 'd38000000000000000'],
    [5n, 'd7010000000000000005'],
    [-1n, 'd701ffffffffffffffff'],
    [2n ** 53n - 1n, 'd701001fffffffffffff'],
  ])('writes the bigint %d as documented', (value, hex) => {
    expect(Buffer.from(serde.serialize(value)).toString('hex')).toBe(hex);
    expect(again(value)).toBe(value);
  });

  it('keeps bigints and numbers apart in one value', () => {
    const value = { a: 1n, b: [2n ** 60n, -(2n ** 60n), 7, 2 ** 40], c: 'x', d: 2n ** 64n - 1n, e: [1n] };
    expect(again(value)).toEqual(value);
    const padded = raw(0xc1, ...serde.serialize(value), 0xc1);
    expect(serde.decodeRange?.(padded, 1, padded.length - 1)).toEqual(value);
    expect(again(3)).toBe(3);
  });

  it('reads plain 64-bit integers as numbers where they fit', () => {
    expect(read(0xcf, 0, 0, 0, 0, 0, 0, 0, 5)).toBe(5);
    expect(read(0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)).toBe(-1);
    expect(read(0xd3, 0xff, 0xe0, 0, 0, 0, 0, 0, 1)).toBe(Number.MIN_SAFE_INTEGER);
    expect(read(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1)).toBe(2n ** 53n + 1n);
  });

  it.each([0, 1, -1, 999, 1700000000123, 4294967296000, -62135596800000, 8.64e15])('keeps a Date of %d ms', (ms) => {
    expect(again(new Date(ms))).toEqual(new Date(ms));
    expect(decode(serde.serialize(new Date(ms)))).toEqual(new Date(ms));
  });

  it.each([
    Uint8Array.of(1, 2, 255),
    Int8Array.of(-1, 2),
    Uint8ClampedArray.of(1),
    Int16Array.of(-2, 300),
    Uint16Array.of(65535),
    Int32Array.of(-70000),
    Uint32Array.of(4294967295),
    Float32Array.of(1.5),
    Float64Array.of(Math.PI, Number.NaN),
    BigInt64Array.of(-5n),
    BigUint64Array.of(2n ** 64n - 1n),
    new Uint8Array(0),
    new Float64Array(0),
  ])('keeps typed arrays', (array) => {
    expect(again(array)).toEqual(array);
    expect(again({ a: array, b: [array] })).toEqual({ a: array, b: [array] });
  });
  it('writes typed arrays little-endian, only their part of a buffer', () => {
    const part = new Int16Array(Int16Array.of(9, 0x0102, 9).buffer, 2, 1);
    expect(serde.serialize(part)).toEqual(raw(0xc7, 3, 2, 2, 0x02, 0x01));
  });

  it('copies binary data, and gives plain arrays for a Buffer', () => {
    const bytes = serde.serialize({ a: Buffer.from([1, 2]) });
    const value = serde.deserialize(Buffer.from(bytes));
    const copied = serde.decodeRange?.(bytes, 0, bytes.length);
    bytes.fill(0);
    expect(copied).toEqual({ a: raw(1, 2) });
    expect(Reflect.get(Object(Reflect.get(Object(value), 'a')), 'constructor')).toBe(Uint8Array);
  });

  it('leaves out undefined properties, and writes class instances as their properties', () => {
    class Point {
      readonly x = 1;
      readonly y = undefined;
    }
    expect(again({ a: undefined, b: [undefined] })).toEqual({ b: [null] });
    expect(again(new Point())).toEqual({ x: 1 });
    expect(again(Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 });
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Map', new Map()],
    ['a Set', new Set()],
    ['an Error', new Error('x')],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['a RegExp', /x/],
    ['an invalid Date', new Date(Number.NaN)],
    ['a bigint of 65 bits', 2n ** 64n],
    ['a cycle', cycle],
    ['a short lone surrogate', ['\ud800']],
    ['a long lone surrogate', { a: `${'x'.repeat(100)}\udc00` }],
    ['a lone surrogate as key', { '\ud800': 1 }],
    ['an unsafe key', JSON.parse('{"a":{"__proto__":1}}')],
    [
      'a getter that throws',
      {
        get a(): never {
          throw new Error('no');
        },
      },
    ],
  ])('refuses to write %s', (_, value) => {
    expect(() => serde.serialize([value, 2n ** 60n])).toThrow(
      expect.objectContaining({ code: 'ERR_ENCODE', name: 'RecordError' }),
    );
    expect(() => serde.serialize([2n ** 60n, value])).toThrow(RecordError);
    expect(again([2n ** 60n])).toEqual([2n ** 60n]);
  });
  it('takes U+FFFD and characters that look like surrogates in bytes', () => {
    const value = ['\uFFFD', '\u{1F600}', '\uD7FF', raw(0xed, 0xa0, 0x80), 'é'.repeat(200)];
    expect(again(value)).toEqual(value);
  });
  it('may be called by a getter of the value that it writes', () => {
    const value = {
      a: 2n ** 60n,
      get b() {
        return serde.serialize([2n ** 61n, 1]);
      },
      c: 2n ** 62n,
    };
    const plain = { a: 2n ** 60n, b: serde.serialize([2n ** 61n, 1]), c: 2n ** 62n };
    expect(again(value)).toEqual(plain);
  });

  it.each([
    ['nothing', []],
    ['nil', [0xc0]],
    ['trailing bytes', [1, 2]],
    ['a truncated text', [0xa5, 0x61]],
    ['a truncated number', [0xcb, 0, 0]],
    ['a truncated length', [0xdb, 0, 0]],
    ['a truncated array', [0x92, 1]],
    ['a map without its value', [0x81, 0xa1, 0x61]],
    ['a lying array', [0xdd, 0x7f, 0xff, 0xff, 0xff]],
    ['a lying map', [0xdf, 0xff, 0xff, 0xff, 0xff, 1]],
    ['a lying text', [0xdb, 0xff, 0xff, 0xff, 0xff, 1]],
    ['lying binary data', [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ['a lying extension', [0xc9, 0xff, 0xff, 0xff, 0xff, 1]],
    ['the unused type', [0xc1]],
    ['an unknown extension', [0xd4, 42, 0]],
    ['the inner extension', [0xd7, 3, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['a timestamp of wrong size', [0xd4, 0xff, 0]],
    ['a timestamp beyond the calendar', [0xc7, 12, 0xff, 0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0]],
    ['a bigint of wrong size', [0xd4, 1, 0]],
    ['an unknown typed array', [0xd4, 2, 77]],
    ['an empty typed array', [0xc7, 0, 2]],
    ['a part of an element', [0xd5, 2, 4, 1]],
    ['malformed UTF-8', [0xa2, 0xc3, 0x28]],
    ['an overlong text', [0xa2, 0xc0, 0xaf]],
    ['a key that is nil', [0x81, 0xc0, 1]],
    ['a key that is an array', [0x81, 0x90, 1]],
    ['a key that is a float', [0x81, 0xca, 0, 0, 0, 0, 1]],
    ['a key too large', [0x81, 0xcf, 0xff, 0, 0, 0, 0, 0, 0, 0, 1]],
    ['a key that is binary', [0x81, 0xc4, 1, 1, 1]],
    ['__proto__', [0x81, 0xa9, ...Buffer.from('__proto__'), 0x80]],
    ['__proto__ in a map', [0x81, 0xa1, 0x61, 0x81, 0xd9, 9, ...Buffer.from('__proto__'), 0x80]],
  ])('refuses to read %s', (_, bytes) => {
    expect(() => read(...bytes)).toThrow(expect.objectContaining({ code: 'ERR_DECODE', name: 'RecordError' }));
    const padded = raw(0xff, ...bytes, 0xff, 0xff);
    expect(() => serde.decodeRange?.(padded, 1, 1 + bytes.length)).toThrow(RecordError);
  });

  it('refuses nested lengths that each look possible, without allocating for them', () => {
    const bomb = new Uint8Array(1_000_000).fill(0);
    for (let i = 0; i < 99; i++) bomb.set([0xdd, 0, 0x0e, 0, 0], i * 5);
    const before = process.memoryUsage().rss;
    expect(() => serde.deserialize(bomb)).toThrow(RecordError);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it('agrees on 100 levels in both directions', () => {
    const levels = (count: number): Uint8Array => new Uint8Array(count).fill(0x91);
    expect(() => read(...levels(99), 1)).not.toThrow();
    expect(() => read(...levels(100), 1)).toThrow('nested deeper than 100 levels');
    expect(() => serde.deserialize(levels(100_000))).toThrow('nested deeper than 100 levels');
    let value: unknown = 1;
    for (let i = 0; i < 99; i++) value = [value];
    expect(again([value].at(0) ?? 0)).toEqual(value);
    expect(() => serde.serialize([value])).toThrow(expect.objectContaining({ code: 'ERR_ENCODE' }));
  });

  it('takes constructor and prototype as keys, and integers as property names', () => {
    const value = again({ constructor: { prototype: { polluted: 1 } }, prototype: 2 });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(read(0x82, 1, 2, 0xff, 3)).toEqual({ 1: 2, '-1': 3 });
  });

  it('refuses an extension object that the library would pass on', () => {
    expect(() => serde.deserialize(encode(new ExtData(9, raw(1))))).toThrow('the unknown extension type 9');
  });
});
