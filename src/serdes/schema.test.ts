import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, RecordError } from '../errors.ts';
import { json } from './json.ts';
import { msgpack } from './msgpack.ts';
import { formatPath, validator } from './schema.ts';

/** A Standard Schema by hand, as any library could make it. */
function schema<T>(validate: StandardSchemaV1<unknown, T>['~standard']['validate']): StandardSchemaV1<unknown, T> {
  return { '~standard': { version: 1, vendor: 'hand', validate } };
}

const even = schema<number>((value) =>
  typeof value === 'number' && value % 2 === 0 ? { value } : { issues: [{ message: 'Expected an even number' }] },
);

describe.each([
  ['json', json],
  ['msgpack', msgpack],
] as const)('%s with a schema', (name, make) => {
  const plain = make();

  it('shows the output of the schema, and leaves out what it does not know', () => {
    const serde = make(z.object({ user: z.string(), at: z.coerce.date() }));
    const read = serde.deserialize(plain.serialize({ user: 'ada', at: 0, extra: true }));
    expect(read).toEqual({ user: 'ada', at: new Date(0) });
    expect(serde.deserialize(serde.serialize(read))).toEqual(read);
  });

  it('names paths and issues, three at most', () => {
    const serde = make(z.object({ user: z.object({ tags: z.array(z.string()) }), n: z.number() }));
    const bytes = plain.serialize({ user: { tags: ['a', 'b', 1, 2, 3] }, n: 'x' });
    expect(() => serde.deserialize(bytes)).toThrow(
      /user\.tags\[2\]: .+; user\.tags\[3\]: .+; user\.tags\[4\]: .+; and 1 more/,
    );
    expect(() => serde.deserialize(bytes)).toThrow(expect.objectContaining({ code: 'ERR_VALIDATION' }));
  });

  it('takes a schema made by hand', () => {
    const serde = make(even);
    expect(serde.deserialize(plain.serialize(4))).toBe(4);
    expect(() => serde.deserialize(plain.serialize(5))).toThrow(
      `${name} value refused by its schema: Expected an even number – fix the producer`,
    );
  });

  it('writes nothing that it would refuse to read, unless told to', () => {
    expect(make(even).deserialize(make(even).serialize(4))).toBe(4);
    for (const serde of [make(even), make(even, { validate: 'both' })]) {
      expect(() => serde.serialize(5)).toThrow(/would refuse to read: Expected an even number – .*encode/);
      expect(() => serde.serialize(5)).toThrow(expect.objectContaining({ code: 'ERR_VALIDATION' }));
      expect(serde.serialize(4)).toEqual(plain.serialize(4));
    }
    expect(make(even, { validate: 'read' }).serialize(5)).toEqual(plain.serialize(5));
  });

  it('refuses to write what a transform without its inverse made, or would change', () => {
    const parsed = make(z.object({ n: z.string().transform(Number) }));
    expect(parsed.deserialize(plain.serialize({ n: '5' }))).toEqual({ n: 5 });
    expect(() => parsed.serialize({ n: 5 })).toThrow(/would refuse to read: n: .*string/);
    const cents = make(z.number().transform((n) => n * 100));
    expect(() => cents.serialize(500)).toThrow(/would read as another value/);
    expect(cents.serialize(0)).toEqual(plain.serialize(0));
  });

  it('writes what an encoder makes of it', () => {
    const parsed = make(z.object({ n: z.string().transform(Number) }), { encode: ({ n }) => ({ n: String(n) }) });
    expect(parsed.serialize({ n: 5 })).toEqual(plain.serialize({ n: '5' }));
    expect(parsed.deserialize(parsed.serialize({ n: 5 }))).toEqual({ n: 5 });
    const cents = make(
      z.number().transform((n) => n * 100),
      { encode: (n) => n / 100 },
    );
    expect(cents.deserialize(cents.serialize(500))).toBe(500);
    expect(() => make(even, { encode: (n) => n + 1 }).serialize(4)).toThrow('Expected an even number');
  });

  it('writes what a schema only puts in order', () => {
    const orderly = make(
      z.object({
        tags: z.array(z.string()).default([]),
        name: z.string().trim().toLowerCase(),
        at: z.coerce.number(),
        id: z.string().default(() => Math.random().toString()),
      }),
    );
    const value = { extra: true, at: 5, name: ' Ada ', tags: ['a'], id: 'x' };
    expect(orderly.serialize(value)).toEqual(plain.serialize(value));
    expect(orderly.deserialize(orderly.serialize(value))).toEqual({ tags: ['a'], name: 'ada', at: 5, id: 'x' });
    let reads = 0;
    const stamped = make(z.object({ n: z.number() }).transform((all) => ({ ...all, read: (reads += 1) })));
    expect(stamped.serialize({ n: 1, read: 0 })).toEqual(plain.serialize({ n: 1, read: 0 }));
  });

  it('refuses a schema that answers with a promise, and leaves no rejection behind', async () => {
    const rejecting = schema<number>(async () => Promise.reject(new Error('later')));
    const refined = z.number().refine(async (n) => Promise.resolve(n > 0));
    for (const one of [rejecting, refined]) {
      const read = (): unknown => make(one).deserialize(plain.serialize(1));
      expect(read).toThrow(ConfigError);
      expect(read).toThrow('validates asynchronously');
      expect(read).toThrow(expect.objectContaining({ code: 'ERR_ASYNC_SCHEMA' }));
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('calls a schema that throws, or gives null, a failed validation', () => {
    const throwing = schema<number>(() => {
      throw new Error('boom');
    });
    expect(() => make(throwing).deserialize(plain.serialize(1))).toThrow(RecordError);
    expect(() => make(throwing).deserialize(plain.serialize(1))).toThrow('it threw Error: boom');
    const emptied = z.number().transform(() => null);
    expect(() => make(emptied).deserialize(plain.serialize(1))).toThrow('its output is null');
  });
});

describe('formatPath', () => {
  it('writes a path as a program would', () => {
    expect(formatPath(undefined)).toBe('');
    expect(formatPath(['user', 'tags', 2])).toBe('user.tags[2]');
    expect(formatPath([{ key: 'a' }, { key: 0 }, 'content-type', '', Symbol('s')])).toBe(
      'a[0]["content-type"][""][Symbol(s)]',
    );
  });
  it('says nothing of a path when the whole value is wrong', () => {
    expect(() => validator(even, 'json')(3)).toThrow('schema: Expected an even number');
  });
});

it('json refuses a Date that its schema would read as a text', () => {
  for (const options of [{}, { validate: 'both' }] as const) {
    const dated = json(z.object({ at: z.date() }), options);
    expect(() => dated.serialize({ at: new Date(0) })).toThrow(/would refuse to read: at: .*date/i);
  }
  const dated = json(z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }));
  expect(dated.deserialize(dated.serialize({ at: new Date(0) }))).toEqual({ at: new Date(0) });
  expect(msgpack(z.object({ at: z.date() })).serialize({ at: new Date(0) })).toEqual(
    msgpack().serialize({ at: new Date(0) }),
  );
});
