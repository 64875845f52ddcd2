import { describe, expect, it } from 'vitest';
import { MillraceError, StoreError } from '../errors.ts';
import { json } from '../serdes/json.ts';
import { string } from '../serdes/string.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from './value-codec.ts';

function failure(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(MillraceError);
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}

const codecs: [string, ValueCodec<never>][] = [
  ['aggregates', msgpackCodec<never>('totals')],
  ['text tables', serdeCodec(string() as never, 'totals')],
  ['JSON tables', serdeCodec(json<unknown>() as never, 'totals')],
];

describe.each(codecs)('damaged entries: %s', (name, codec) => {
  it('says which store is damaged and what to do, for an entry cut short', () => {
    for (let length = 0; length < 8; length += 1) {
      const error = failure(() => codec.decode(new Uint8Array(length)));
      expect(error).toBeInstanceOf(StoreError);
      expect(error.code).toBe('ERR_CORRUPT_STORE');
      expect(error.message).toMatch(/store totals.* – .*new applicationId to rebuild/);
    }
  });

  it('says so for bytes that are no value', () => {
    const garbage = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, ...(name === 'aggregates' ? [1] : []), 0xc1, 0xff, 0xfe);
    const error = failure(() => codec.decode(garbage));
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'ERR_CORRUPT_STORE', errorClass: 'store' });
    expect(error.message).toContain('totals');
  });
});

describe('damaged aggregates', () => {
  const codec = msgpackCodec<unknown>('totals');
  const entry = (...bytes: number[]): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, ...bytes);

  it.each<[string, Uint8Array]>([
    ['a number cut short', codec.encode(7, 1).subarray(0, 12)],
    ['a list cut short', codec.encode([1, 'two'], 1).subarray(0, 12)],
    ['an unknown form', entry(9, 1, 2, 3)],
    ['trailing bytes', Uint8Array.of(...codec.encode({ a: 1 }, 1), 0)],
  ])('%s', (_name, bytes) => {
    expect(failure(() => codec.decode(bytes))).toMatchObject({ code: 'ERR_CORRUPT_STORE', errorClass: 'store' });
  });

  it.each<[string, unknown]>([
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a function', { f: () => 1 }],
    ['a nested Set', { seen: new Set(['x']) }],
    ['an invalid date', [new Date(Number.NaN)]],
  ])('refuses to write %s, which would come back as something else', (_name, value) => {
    expect(failure(() => codec.encode(value, 1)).message).toContain('totals');
  });

  it('keeps typed arrays what they are', () => {
    const value = { sums: Float64Array.of(1.5, -2), ids: BigInt64Array.of(-1n) };
    expect(codec.decode(codec.encode(value, 1)).value).toEqual(value);
  });
});
