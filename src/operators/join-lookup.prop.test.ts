import fc from 'fast-check';
import { joinLookup, json, nullable, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

const source = topic('source', { key: nullable(string()), value: json<{ id: number; n: number }>() });
const out = topic('out', { key: nullable(string()), value: json<unknown>() });
/** What is there: a row for even numbers. */
const rowOf = (id: number): string | null => (id % 2 === 0 ? `row ${id}` : null);

const record = fc.record({ key: fc.constantFrom('a', 'b', null), id: fc.nat({ max: 5 }) });

it('joins as a map would, in order for each key, asks within bounds, and with a cache once for each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ records: fc.array(record, { maxLength: 4 }), settle: fc.boolean() }), { maxLength: 6 }),
      fc.constantFrom('inner' as const, 'left' as const),
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      fc.infiniteStream(fc.nat({ max: 5 })),
      async (turns, type, concurrency, cached, delays) => {
        const asked: number[] = [];
        let [underWay, most] = [0, 0];
        const lookUp = async (id: number): Promise<string | null> => {
          asked.push(id);
          underWay += 1;
          most = Math.max(most, underWay);
          for (let ticks = delays.next().value as number; ticks > 0; ticks -= 1) await Promise.resolve();
          underWay -= 1;
          return rowOf(id);
        };
        const options = {
          type: type as 'left',
          key: ({ id }: { id: number }) => id,
          concurrency,
          ...(cached ? { cache: { size: 6, ttl: '1h' as const } } : {}),
        };
        const driver = new TestDriver(
          source.pipe(
            joinLookup(lookUp, ({ n }, row) => [n, row], options),
            to(out),
          ),
        );
        let n = 0;
        const wanted = new Map<string | null, unknown[]>();
        for (const { records, settle } of turns) {
          driver.pipeAll(
            source,
            records.map(({ id, key }) => ({ key, value: { id, n: n++ } })),
          );
          if (settle) await driver.settled();
        }
        await driver.settled();
        n = 0;
        for (const { id, key } of turns.flatMap(({ records }) => records)) {
          const row = [n++, rowOf(id)];
          if (row[1] !== null || type === 'left') wanted.set(key, [...(wanted.get(key) ?? []), row]);
        }
        const written = new Map<string | null, unknown[]>();
        for (const { key, value } of driver.read(out)) written.set(key, [...(written.get(key) ?? []), value]);
        // Records without a key are independent of each other.
        const byNumber = (rows: unknown[] | undefined) =>
          rows?.sort((l, r) => (l as number[])[0]! - (r as number[])[0]!);
        expect(byNumber(written.get(null))).toEqual(byNumber(wanted.get(null)));
        for (const key of ['a', 'b']) expect(written.get(key)).toEqual(wanted.get(key));
        expect(most).toBeLessThanOrEqual(concurrency);
        if (cached) expect(asked).toHaveLength(new Set(asked).size);
      },
    ),
    { numRuns: 1000 },
  );
}, 180_000);
