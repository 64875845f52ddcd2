import { describe, expect, it } from 'vitest';
import { json } from './json.ts';
import { isTooDeep } from './json-guard.ts';
import { jsonErrorPosition } from './json-position.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const serde = json();
const read = (text: string): unknown => serde.deserialize(utf8(text));
const nested = (levels: number, open = '[', close = ']'): string => open.repeat(levels) + close.repeat(levels);

describe('json', () => {
  it.each<[NonNullable<unknown>]>([
    [{ a: 1, b: ['x', null, true], c: { d: 'é' } }],
    [[]],
    ['text'],
    [0],
    [false],
    ['\ud800'],
    [{ constructor: 1, prototype: 2 }],
  ])('writes %j as JSON.stringify does and reads it back', (value) => {
    expect(serde.serialize(value)).toEqual(utf8(JSON.stringify(value)));
    expect(serde.toText?.(value)).toBe(JSON.stringify(value));
    expect(serde.deserialize(serde.serialize(value))).toEqual(value);
  });

  it('reads a range', () => {
    expect(serde.decodeRange?.(utf8('xx{"a":1}xx'), 2, 9)).toEqual({ a: 1 });
  });

  it('writes objects that are empty, or say themselves what is to be written', () => {
    const shown = { map: new Map([['a', {}]]), toJSON: () => ({ a: {} }) };
    expect(serde.toText?.({ none: {}, shown, at: new Date(0) })).toBe(
      '{"none":{},"shown":{"a":{}},"at":"1970-01-01T00:00:00.000Z"}',
    );
  });

  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  it.each<[string, NonNullable<unknown>]>([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['a bigint inside', { a: 1n }],
    ['a cycle', cycle],
    ['NaN', Number.NaN],
    ['too many levels', JSON.parse(nested(101))],
    ['a promise', Promise.resolve(1)],
    ['a promise inside', { a: [1, { b: Promise.resolve(1) }] }],
    ['a Map, of which {} would be left', new Map([['a', 1]])],
    ['a Set inside', { tags: new Set(['a']) }],
    ['an unsafe key', JSON.parse('{"a":[{"__proto__":1}]}')],
    ['a toJSON that throws', { toJSON: () => read('{') }],
  ])('refuses to write %s', (_, value) => {
    expect(() => serde.serialize(value)).toThrow(expect.objectContaining({ code: 'ERR_ENCODE', name: 'RecordError' }));
  });
  it('refuses to write undefined', () => {
    // @ts-expect-error a program in JavaScript may pass anything
    expect(() => serde.serialize(undefined)).toThrow('json cannot write undefined');
  });

  it('says where a text stops being JSON, and how it begins', () => {
    expect(() => read('{"a":tru, "b":1}')).toThrow(
      'json cannot read text that is not JSON, at position 5 (16 bytes: "{\\"a\\":tru, \\"b\\":1}")',
    );
    expect(() => read('{"a":')).toThrow('json cannot read a text that ends too early, at position 5');
    expect(() => read('')).toThrow('json cannot read a text that ends too early, at position 0 (0 bytes)');
    expect(() => read('x'.repeat(100))).toThrow(`(100 bytes: "${'x'.repeat(64)}"…)`);
    expect(() => serde.deserialize(new Uint8Array([0x22, 0xff, 0x22]))).toThrow('malformed UTF-8 (3 bytes: 0x22ff22)');
  });

  it('refuses the text null, which no record value is', () => {
    expect(() => read(' null ')).toThrow('json cannot read the text null');
  });

  it('reads 100 levels and refuses 101, whatever they are made of', () => {
    expect(() => read(nested(100))).not.toThrow();
    for (const text of [nested(101), `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`, nested(100_000)]) {
      expect(() => read(text)).toThrow('json cannot read a value nested deeper than 100 levels');
    }
  });

  it('counts no brackets inside of strings', () => {
    const text = JSON.stringify({
      a: '[{'.repeat(200),
      b: '\\"['.repeat(300),
      c: Array.from({ length: 300 }, () => ({})),
    });
    expect(isTooDeep(text)).toBe(false);
    expect(read(text)).toEqual(JSON.parse(text));
  });

  it.each(['{"__proto__":{"x":1}}', '[{"a":{"__proto__":1}}]', '{"\\u005f_proto__":1}', '{"__\\u0070roto__":{"x":1}}'])(
    'refuses the unsafe key in %s',
    (text) => {
      expect(() => read(text)).toThrow('json cannot read the unsafe key __proto__');
    },
  );
  it('takes __proto__ as a text, and constructor and prototype as keys', () => {
    expect(read('["__proto__","\\u0041"]')).toEqual(['__proto__', 'A']);
    const value = read('{"constructor":{"prototype":{"polluted":1}},"prototype":2}');
    expect(Object.hasOwn(Object(value), 'constructor')).toBe(true);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('jsonErrorPosition', () => {
  it.each([
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{a:1}', 1],
    ['{"a":1,}', 7],
    ['"ab\\x"', 3],
    ['"a\nb"', 2],
    ['"open', 5],
    ['01', 1],
    ['-', 0],
    ['[}', 1],
    ['1 1', 2],
    ['\uFEFF{}', 0],
    ['[[{"a":[]}],"b\\u00e9",-1.5e+3,x]', 30],
  ])('%s: %d', (text, at) => {
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    expect(jsonErrorPosition(text)).toBe(at);
  });
});
