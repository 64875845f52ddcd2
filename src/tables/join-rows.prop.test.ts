import fc from 'fast-check';
import { joinRows, json, nullable, string, table, topic, toStream } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

const options = { key: string(), value: json<string>() };
const topics = {
  left: topic('left', { key: string(), value: nullable(json<string>()) }),
  right: topic('right', { key: string(), value: nullable(json<string>()) }),
};
const pair = (left: string | null, right: string | null) => [left, right];

const tables = () => ({ left: table('left', options), right: table('right', options) });
const joins = {
  inner: () => tables().left.pipe(joinRows(tables().right, pair, { store: 'rows' })),
  left: () => tables().left.pipe(joinRows(tables().right, pair, { store: 'rows', type: 'left' })),
  outer: () => tables().left.pipe(joinRows(tables().right, pair, { store: 'rows', type: 'outer' })),
};

const record = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  value: fc.option(fc.constantFrom('x', 'y'), { freq: 3 }),
  timestamp: fc.nat({ max: 20 }),
});
const writes = fc.array(fc.record({ to: fc.constantFrom('left' as const, 'right' as const), record }), {
  maxLength: 12,
});

it('joined tables come to the relational join of the final tables, in whatever order both were written', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('inner' as const, 'left' as const, 'outer' as const),
      fc.constantFrom(1, 1, 3),
      fc.constantFrom(0, 1000),
      writes,
      fc.constantFrom(-1, 1, 4),
      (type, partitions, cacheEntries, all, restartAfter) => {
        const driver = new TestDriver(joins[type]().pipe(toStream()), { partitions, cacheEntries });
        const final = { left: new Map<string, string>(), right: new Map<string, string>() };
        for (const [at, { record: written, to }] of all.entries()) {
          driver.pipe(topics[to], written);
          if (at === restartAfter) driver.restart();
          if (written.value === null) final[to].delete(written.key);
          else final[to].set(written.key, written.value);
        }
        const wanted = ['a', 'b', 'c', 'd'].flatMap((key) => {
          const [left, right] = [final.left.get(key) ?? null, final.right.get(key) ?? null];
          const there = {
            inner: left !== null && right !== null,
            left: left !== null,
            outer: left !== null || right !== null,
          };
          return there[type] ? [{ key, value: [left, right] }] : [];
        });
        const rows = [...driver.store('rows').entries()].map(({ key, value }) => ({ key: String(key), value }));
        expect(rows.sort((one, other) => (one.key < other.key ? -1 : 1))).toEqual(wanted);
      },
    ),
    { numRuns: 1000 },
  );
});
