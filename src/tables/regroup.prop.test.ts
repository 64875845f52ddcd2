import fc from 'fast-check';
import { agg, json, nullable, regroup, string, table, topic, toStream } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

interface Item {
  readonly group: string | null;
  readonly size: number;
}
const item = json<Item>();
const input = topic('items', { key: string(), value: nullable(item) });
const groups = topic('groups', { key: string(), value: item });
const totals = () =>
  table('items', { key: string(), value: item }).pipe(
    regroup((row) => row.group, groups, { n: agg.count(), sum: agg.sum((row) => row.size) }, { store: 'totals' }),
  );

const record = fc.record({
  key: fc.constantFrom('a', 'b', 'c'),
  value: fc.option(
    fc.record({ group: fc.option(fc.constantFrom('x', 'y', 'z'), { freq: 6 }), size: fc.integer({ min: -9, max: 9 }) }),
    { freq: 4 },
  ),
  timestamp: fc.nat({ max: 20 }),
});

it('aggregates that rows were taken out of are those of the rows that are there (TA-1)', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 10 }),
      fc.constantFrom(1, 1, 3),
      fc.constantFrom(0, 1000),
      fc.constantFrom(-1, 1, 4),
      (all, partitions, cacheEntries, restartAfter) => {
        const driver = new TestDriver(totals().pipe(toStream()), { partitions, cacheEntries });
        const final = new Map<string, Item>();
        const seen = new Set<string>();
        for (const [at, written] of all.entries()) {
          driver.pipe(input, written);
          if (at === restartAfter) driver.restart();
          if (written.value === null) final.delete(written.key);
          else final.set(written.key, written.value);
          if (written.value?.group !== null && written.value?.group !== undefined) seen.add(written.value.group);
        }
        const wanted = [...seen].sort().map((group) => {
          const rows = [...final.values()].filter((row) => row.group === group);
          return { key: group, n: rows.length, sum: rows.reduce((sum, { size }) => sum + size, 0) };
        });
        const rows = [...driver.store('totals').entries()].map(({ key, value }) => ({
          key: String(key),
          ...(value as object),
        }));
        expect(rows.sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual(wanted);
      },
    ),
    { numRuns: 1000 },
  );
});
