import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { msgpack } from './msgpack.ts';
import { PlainWriter } from './msgpack-plain.ts';

const number = fc.oneof(
  fc.nat(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffff_ffff, 0x1_0000_0000, Number.NaN, -1),
);
const text = fc.oneof(
  fc.string({ maxLength: 40, unit: 'grapheme-ascii' }),
  fc.string({ maxLength: 5, unit: 'grapheme' }),
  fc.constantFrom('', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(3000)),
);
const { value } = fc.letrec<{ value: unknown; map: unknown }>((tie) => ({
  value: fc.oneof({ maxDepth: 6 }, number, text, fc.boolean(), fc.constantFrom(null, undefined), tie('map')),
  map: fc.dictionary(text, tie('value'), { maxKeys: 20, noNullPrototype: false }),
}));
const map = fc.dictionary(text, value, { maxKeys: 20 });

describe('plain values', () => {
  it('are written as the serde writes them, or not at all', () => {
    const [writer, serde] = [new PlainWriter(), msgpack<unknown>()];
    let written = 0;
    fc.assert(
      fc.property(map, fc.nat({ max: 9 }), (plain, room) => {
        const bytes = writer.write(plain, room);
        if (bytes === undefined) return;
        written += 1;
        expect(bytes.slice(room)).toEqual(serde.serialize(plain));
      }),
      { numRuns: 2000 },
    );
    expect(written).toBeGreaterThan(0);
  });

  it('stay as they are while others are written', () => {
    const [writer, serde] = [new PlainWriter(), msgpack<unknown>()];
    const all = Array.from({ length: 1000 }, (_, at) => ({ at, text: 'x'.repeat(at % 250) }));
    const bytes = all.map((each) => writer.write(each, 9));
    for (const [at, each] of all.entries()) expect(bytes[at]?.slice(9)).toEqual(serde.serialize(each));
  });

  it('are not what has code of its own, and such code may write', () => {
    const writer = new PlainWriter();
    for (const each of [
      [],
      new Date(0),
      new Map(),
      5,
      'text',
      null,
      undefined,
      { f: () => 1 },
      { big: 5n },
      { a: [] },
    ]) {
      expect(writer.write(each, 0)).toBeUndefined();
    }
    const inner: unknown[] = [];
    const outer = {
      a: 1,
      get b() {
        inner.push(writer.write({ c: 1 }, 0));
        return 2;
      },
    };
    expect(writer.write(outer, 0)).toEqual(msgpack<unknown>().serialize({ a: 1, b: 2 }));
    expect(inner).toEqual([undefined]);
    const failing = {
      get a(): number {
        throw new Error('no');
      },
    };
    expect(writer.write(failing, 0)).toBeUndefined();
    expect(writer.write({ a: 1 }, 0)).toEqual(msgpack<unknown>().serialize({ a: 1 }));
    const own = JSON.parse('{"__proto__": 1}') as object;
    expect(writer.write(own, 0)).toBeUndefined();
  });
});
