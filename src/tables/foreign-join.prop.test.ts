import fc from 'fast-check';
import { joinRows, json, nullable, string, table, topic, toStream } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

interface Row {
  readonly to: string | null;
  readonly text: string;
}
const row = json<Row>();
const topics = {
  left: topic('left', { key: string(), value: nullable(row) }),
  right: topic('right', { key: string(), value: nullable(json<string>()) }),
};
const left = () => table('left', { key: string(), value: row });
const right = () => table('right', { key: string(), value: json<string>() });
const key = ({ to }: Row) => to;
const pair = (own: Row, other: string | null) => [own.to, own.text, other];
const joins = {
  inner: () => left().pipe(joinRows(right(), pair, { store: 'rows', key })),
  left: () => left().pipe(joinRows(right(), pair, { store: 'rows', key, type: 'left' })),
};

const timestamp = fc.nat({ max: 20 });
const write = fc.oneof(
  fc.record({
    to: fc.constant('left' as const),
    key: fc.constantFrom('1', '2', '3'),
    value: fc.option(fc.record({ to: fc.option(fc.constantFrom('a', 'b', 'c')), text: fc.constantFrom('x', 'y') }), {
      freq: 4,
    }),
    timestamp,
  }),
  fc.record({
    to: fc.constant('right' as const),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.option(fc.constantFrom('p', 'q'), { freq: 4 }),
    timestamp,
  }),
);
/** Records that are there before any is processed. */
const together = fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { maxLength: 3 });

it('comes to the relational join of the final tables, and keeps nothing of rows that are gone', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('inner' as const, 'left' as const),
      fc.constantFrom(1, 1, 3),
      fc.constantFrom(0, 1000),
      together,
      fc.constantFrom(-1, 0, 1),
      (type, partitions, cacheEntries, groups, restartAfter) => {
        const driver = new TestDriver(joins[type]().pipe(toStream()), { partitions, cacheEntries });
        const final = { left: new Map<string, Row>(), right: new Map<string, string>() };
        for (const [at, group] of groups.entries()) {
          for (const side of ['left', 'right'] as const) {
            const records = group.flatMap(({ to, ...record }) => (to === side ? [record] : []));
            driver.pipeAll<string, never>(topics[side] as never, records as never);
            for (const { key: id, value } of records) {
              if (value === null) final[side].delete(id);
              else final[side].set(id, value as never);
            }
          }
          if (at === restartAfter) driver.restart();
        }
        const wanted = [...final.left].flatMap(([id, { text, to }]) => {
          const other = to === null ? null : (final.right.get(to) ?? null);
          return other === null && type === 'inner' ? [] : [{ key: id, value: [to, text, other] }];
        });
        const sorted = <T extends { readonly key: unknown }>(rows: readonly T[]): T[] =>
          [...rows].sort((one, other) => (String(one.key) < String(other.key) ? -1 : 1));
        const rows = [...driver.store('rows').entries()].map(({ key: id, value }) => ({ key: id, value }));
        expect(sorted(rows)).toEqual(sorted(wanted));
        expect([...driver.store('rows-leases').entries()]).toHaveLength(final.left.size);
        driver.pipeAll(
          topics.left,
          [...final.left.keys()].map((id) => ({ key: id, value: null })),
        );
        for (const store of ['rows', 'rows-leases', 'rows-subscribers', 'rows-marks']) {
          expect([...driver.store(store).entries()], store).toEqual([]);
        }
      },
    ),
    { numRuns: 1000 },
  );
}, 240_000);
