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
      /field at of the schema is custom that cannot/,
    );
    const orders = topic('orders', { key: string(), value: json(Order) });
    const driver = new TestDriver(orders.pipe(to(topic('copies', { key: string(), value: json(Order) }))));
    const [some] = fc.sample(records({ keys: ['a'], values: Order }), { numRuns: 1, seed: 1 });
    driver.pipeAll(orders, some ?? []);
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
