import { expect, it } from 'vitest';
import { int64 } from './int64.ts';
import { nullable } from './nullable.ts';
import type { Serde } from './serde.ts';
import { string } from './string.ts';

it('keeps the bytes, the name and the fast paths, and allows null', () => {
  const name = nullable(string());
  expect(name.nullable).toBe(true);
  expect(name.name).toBe('string');
  expect(name.serialize('é')).toEqual(string().serialize('é'));
  expect(name.toText?.('é')).toBe('é');
  expect(name.decodeRange?.(new Uint8Array([0x61, 0x62, 0x63]), 1, 2)).toBe('b');
  expect(string().nullable).toBeUndefined();
  expect('toText' in nullable(int64())).toBe(false);
});

it('works on a serde that is a class', () => {
  class Shifted implements Serde<number> {
    readonly name = 'shifted';
    readonly #by = 3;
    serialize(value: number): Uint8Array {
      return new Uint8Array([value + this.#by]);
    }
    deserialize(bytes: Uint8Array): number {
      return this.decodeRange(bytes, 0);
    }
    decodeRange(bytes: Uint8Array, start: number): number {
      return (bytes[start] ?? 0) - this.#by;
    }
  }
  const serde = nullable(new Shifted());
  expect(serde.deserialize(serde.serialize(4))).toBe(4);
  expect(serde.decodeRange?.(new Uint8Array([9, 9]), 1, 2)).toBe(6);
});
