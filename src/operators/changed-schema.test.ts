import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agg, aggregate, joinTable, json, string, table, to, topic, tumbling, windowBy } from '../index.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';

const input = topic('input', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });

const named = z.object({ name: z.string() });
const renamed = z.object({ first: z.string() });

describe('a table whose schema was changed', () => {
  const rowsOf = (schema: z.ZodType<object>) => table('users', { key: string(), value: json(schema) });
  const start = (schema: z.ZodType<object>, options: TestDriverOptions) =>
    new TestDriver(
      input.pipe(
        joinTable(rowsOf(schema), (_n, row) => row),
        to(out),
      ),
      options,
    );

  it('names the row and what is wrong with it, and blames no damage', () => {
    const stores = memoryStores();
    const before = start(named, { stores });
    before.pipe(rowsOf(named), { key: 'ada', value: { name: 'Ada' }, timestamp: 1 });
    const after = start(renamed, { stores });
    expect(() => after.pipe(input, { key: 'ada', value: 1, timestamp: 2 })).toThrow(
      expect.objectContaining({
        code: 'ERR_VALIDATION',
        errorClass: 'record',
        topic: 'input',
        message: expect.stringMatching(/the entry "ada" of store users no longer fits its schema: first: /) as string,
      }),
    );
  });

  it('fails the records that look at such a row, until another takes its place', () => {
    const stores = memoryStores();
    const before = start(named, { stores });
    for (const key of ['ada', 'bob']) before.pipe(rowsOf(named), { key, value: { name: key }, timestamp: 1 });
    const after = start(renamed, { stores, onRecordError: 'skip' });
    const ask = (): unknown[] => {
      after.pipeAll(
        input,
        ['ada', 'bob'].map((key) => ({ key, value: 1, timestamp: 2 })),
      );
      return after.read(out).map(({ value }) => value);
    };
    expect(ask()).toEqual([]);
    expect(after.tasks()[0]?.skipped).toBe(2);
    after.pipe(rowsOf(renamed), { key: 'ada', value: { first: 'Ada' }, timestamp: 3 });
    after.pipe(rowsOf(renamed), { key: 'bob', value: null, timestamp: 3 });
    expect(ask()).toEqual([{ first: 'Ada' }]);
    expect(after.tasks()[0]?.skipped).toBe(2);
    after.restart();
    expect(ask()).toEqual([{ first: 'Ada' }]);
  });
});

describe('a state whose schema was changed', () => {
  const state = (schema: z.ZodType<object>) =>
    agg.custom({
      name: 'state',
      init: () => ({ name: 'a', first: 'a' }),
      add: (all) => all,
      state: json(schema),
    });
  const window = tumbling({ size: '10s', grace: '0s' });

  it('is not read, and not lost, by an aggregate', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<object>) =>
      new TestDriver(input.pipe(aggregate(state(schema), { store: 's' }), to(out)), { stores, onRecordError: 'skip' });
    start(named.loose()).pipe(input, { key: 'a', value: 1, timestamp: 1 });
    const after = start(z.object({ other: z.string() }));
    after.pipe(input, { key: 'a', value: 1, timestamp: 1 });
    expect(after.tasks()[0]?.skipped).toBe(1);
    const back = start(named.loose());
    expect([...back.store('s').entries()]).toHaveLength(1);
  });

  it('keeps no other pane of its window from closing', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<object>) =>
      new TestDriver(input.pipe(windowBy(window, state(schema), { store: 'w' }), to(out)), {
        stores,
        onRecordError: 'skip',
      });
    start(named.loose()).pipe(input, { key: 'a', value: 1, timestamp: 1 });
    const strict = z.looseObject({ name: z.literal('b') });
    const after = start(strict);
    after.pipe(input, { key: 'b', value: 1, timestamp: 2 });
    expect(after.tasks()[0]?.skipped, 'a state that its schema does not take is not written').toBe(1);
    after.pipe(input, { key: 'c', value: 1, timestamp: 20_000 });
    after.end('close');
    expect(after.tasks()[0]).toMatchObject({ openWindows: 0 });
    expect(after.tasks()[0]?.skipped).toBe(3);
  });
});
