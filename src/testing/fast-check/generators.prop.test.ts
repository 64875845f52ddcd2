import fc from 'fast-check';
import { countByKey, int32, json, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { drive, operations, records, valuesOf } from 'millrace/testing/fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sourceText } from '../source-text.ts';

const numbers = topic('some-numbers', { key: string(), value: int32() });
const counts = topic('counts', { key: string(), value: int32() });

describe('records', () => {
  it('keep to what is asked for, and have it', () => {
    const made = fc.sample(
      records({
        keys: ['a', 'b', null],
        values: fc.nat(9),
        disorder: '5ms',
        late: '50ms',
        gap: '1s',
        duplicates: true,
        tombstones: true,
        start: 1_000,
      }),
      { numRuns: 500, seed: 1 },
    );
    const all = made.flat();
    const has = (what: (record: (typeof all)[number]) => boolean): number => all.filter(what).length;
    expect(has(({ key }) => key === 'a')).toBeGreaterThan(has(({ key }) => key === null));
    expect(has(({ value }) => value === null)).toBeGreaterThan(10);
    let late = 0;
    let again = 0;
    let gaps = 0;
    for (const records of made) {
      let highest = 0;
      records.forEach((record, at) => {
        const { timestamp = 0 } = record;
        if (record === records[at - 1]) again += 1;
        if (at > 0 && timestamp > highest + 100) gaps += 1;
        if (timestamp < highest - 5) late += 1;
        expect(timestamp).toBeGreaterThanOrEqual(Math.max(highest - 55, 945));
        highest = Math.max(highest, timestamp);
      });
    }
    expect([late > 100, again > 100, gaps > 100]).toEqual([true, true, true]);
    const calm = fc.sample(records({ keys: ['a'], values: fc.nat(9) }), { numRuns: 100, seed: 1 });
    for (const inOrder of calm) {
      const times = inOrder.map(({ timestamp = 0 }) => timestamp);
      expect(times).toEqual(times.toSorted((left, right) => left - right));
    }
    expect(() => records({ keys: ['a'], values: fc.nat(), latte: '1s' } as never)).toThrow(/latte/);
  });

  it('take values from a schema', () => {
    const Order = z.object({
      id: z.uuid(),
      item: z.string().min(1).max(5),
      count: z.int().min(1).max(7),
      price: z.number().positive().max(100),
      paid: z.boolean().optional(),
      state: z.enum(['open', 'sent']),
      tags: z.array(z.literal('new')).max(2),
      note: z.union([z.string(), z.null()]),
      even: z
        .int()
        .min(0)
        .max(20)
        .refine((n) => n % 2 === 0),
    });
    const made = fc.sample(valuesOf(Order), { numRuns: 100, seed: 1 });
    for (const order of made) expect(Order.safeParse(order).success).toBe(true);
    expect(new Set(made.map(({ paid }) => paid))).toEqual(new Set([true, false, undefined]));
    expect(() => valuesOf(z.object({ at: z.custom<string>() }))).toThrow(
      /field at of the schema: zod's custom cannot be inspected/,
    );
    const orders = topic('orders', { key: string(), value: json(Order) });
    const driver = new TestDriver(orders.pipe(to(topic('copies', { key: string(), value: json(Order) }))));
    const [some] = fc.sample(records({ keys: ['a'], values: Order }), { numRuns: 1, seed: 1 });
    driver.pipeAll(orders, some ?? []);
  });
});

describe('values of schemas', () => {
  interface Node {
    readonly n: number;
    readonly under: Node[];
    readonly next?: Node | undefined;
  }
  const tree: z.ZodType<Node> = z.object({
    n: z.int(),
    get under() {
      return z.array(tree);
    },
    get next() {
      return tree.optional();
    },
  });
  const nested: z.ZodType<unknown> = z.lazy(() => z.union([z.int(), z.array(nested)]));

  it('are made within bounds that are seldom met by chance, and for all types that can be', () => {
    const day = { min: new Date(1_700_000_000_000), max: new Date(1_700_086_400_000) };
    const schemas: Record<string, z.ZodType> = {
      'a day': z.date().min(day.min).max(day.max),
      'a small bigint': z.bigint().min(0n).max(10n),
      'an unsigned bigint': z.uint64(),
      cents: z.number().min(0).max(100).multipleOf(0.01),
      'a large integer': z.int().min(1_700_000_000_000),
      'a very negative integer': z.int().max(-3e9),
      'a length': z.string().length(36),
      'a long text': z.string().min(50),
      'a pattern without case': z.string().regex(/^[a-z]{3}$/i),
      'a time': z.iso.datetime(),
      'a version of a UUID': z.uuidv7(),
      'a template': z.templateLiteral(['user-', z.int()]),
      'a long list': z.array(z.number()).length(20),
      'every key of an enum': z.record(z.enum(['a', 'b', 'c', 'd']), z.number()),
      'a rest': z.tuple([z.string()]).rest(z.number()),
      'both sides': z.object({ a: z.string() }).and(z.object({ b: z.number() })),
      'what may be missing': z.object({ a: z.string().optional().readonly(), b: z.string().nullish() }),
      'a set of a map': z.set(z.map(z.string(), z.int())).min(1),
      'wrapped ones': z.tuple([z.string().catch('x'), z.string().prefault('x'), z.int().optional().nonoptional()]),
      'a tree': tree,
      'nested lists': nested,
    };
    for (const [what, schema] of Object.entries(schemas)) {
      const made = fc.sample(valuesOf(schema), { numRuns: 30, seed: 1 });
      for (const value of made) expect(schema.safeParse(value).success, what).toBe(true);
      expect(new Set(made.map((value) => fc.stringify(value))).size, what).toBeGreaterThan(3);
    }
    const deep = fc.sample(valuesOf(tree), { numRuns: 50, seed: 1 });
    expect(deep.some(({ under }) => under.some((each) => each.under.length > 0))).toBe(true);
  });

  it('shrink within the schema', () => {
    const Long = z.object({ n: z.int().refine((n) => n !== 500), text: z.string().min(2) });
    const details = fc.check(
      fc.property(valuesOf(Long), ({ n }) => n < 1_000),
      { seed: 1 },
    );
    const [{ n, text }] = details.counterexample as [z.infer<typeof Long>];
    expect([n, text.length]).toEqual([1_000, 2]);
  });

  it('are refused with a reason where they cannot be made, instead of searched for ever', () => {
    const forever: z.ZodType<unknown> = z.object({
      get again() {
        return forever;
      },
    });
    const schemas: [z.ZodType, RegExp][] = [
      [
        z.object({ id: z.string().refine((id) => id.startsWith('ORD-')) }),
        /field id of the schema accepts none of 2000/,
      ],
      [z.string().refine(async () => true), /the schema is checked asynchronously/],
      [z.array(z.string().regex(/^(?=.*\d)[a-z\d]{4,}$/)), /an element of the schema has a pattern .*no texts/],
      [forever, /contains itself without an end/],
    ];
    for (const [schema, message] of schemas) {
      expect(() => fc.sample(valuesOf(schema), { numRuns: 1, seed: 1 })).toThrow(message);
    }
  });
});

describe('operation sequences', () => {
  it('do what an application may go through, and count every record once', () => {
    const some = records({ keys: ['a', 'b'], values: fc.nat(9) });
    const all = operations(numbers, some, { commits: true, advanceSeconds: 100, poison: true });
    fc.assert(
      fc.property(all, fc.boolean(), (sequence, autoCommit) => {
        const options = { autoCommit, onRecordError: 'skip' } as const;
        const driver = new TestDriver(numbers.pipe(countByKey({ store: 'counts' }), to(counts)), options);
        drive(driver, numbers, sequence);
        driver.end();
        const piped = sequence.filter((each) => each.do === 'pipe');
        expect(driver.read(counts)).toHaveLength(piped.length);
      }),
      { numRuns: 40 },
    );
  });

  it('are printed as lines of a test', () => {
    const failing = fc.check(
      fc.property(
        operations(numbers, records({ keys: ['a'], values: fc.nat(9) }), { restarts: false, faults: false }),
        (all) => {
          return !all.some((each) => each.do === 'rebalance') || !all.some((each) => each.do === 'pipe');
        },
      ),
      { seed: 1 },
    );
    const shown = fc.stringify(failing.counterexample?.[0]).trim().split('\n');
    expect(shown.toSorted()).toEqual([
      `driver.pipe(someNumbers, { key: 'a', value: 0, timestamp: 0 });`,
      'driver.rebalance();',
    ]);
  });

  it('show values as the text that makes them', () => {
    const value = {
      "it's": [-0, 1n, Number.NaN, null, undefined],
      at: new Date(5),
      bytes: Uint8Array.of(1, 2),
      '\n': {},
    };
    const text = sourceText(value);
    expect(text).toBe(
      `{ 'it\\'s': [-0, 1n, NaN, null, undefined], at: new Date(5), bytes: Uint8Array.of(1, 2), '\\n': {} }`,
    );
  });
});
