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
      `${name} value refused by its schema: Expected an even number – mend the producer`,
    );
  });

  it('validates what is written only when asked to', () => {
    expect(make(even).deserialize(make(even).serialize(4))).toBe(4);
    expect(() => make(even).serialize(5)).not.toThrow();
    expect(() => make(even, { validate: 'both' }).serialize(5)).toThrow('Expected an even number');
    expect(make(even, { validate: 'both' }).serialize(4)).toEqual(plain.serialize(4));
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
