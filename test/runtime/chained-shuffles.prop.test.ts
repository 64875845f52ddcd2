import fc from 'fast-check';
import type { MillraceError } from 'millrace';
import { describe, expect, it } from 'vitest';
import { chain, type Spread, STEPS, type StepName, spells, steps } from './chained-shuffles.ts';
import { unevenly } from './shuffle-time.ts';
import { type Call, endsAt, FaultyLog, hastyClock } from './support.ts';

interface Plan extends Spread {
  readonly records: number;
  readonly commitInterval: '0ms' | '20ms' | '5s';
  readonly batch: number;
  readonly seed: number;
  /** After how many calls the process is gone, again and again. */
  readonly kills: readonly number[];
}

const ALONE: Omit<Plan, 'records'> = {
  sources: 1,
  first: 1,
  second: 1,
  commitInterval: '5s',
  batch: 5000,
  seed: 0,
  kills: [],
};

const plan: fc.Arbitrary<Plan> = fc.record({
  sources: fc.integer({ min: 1, max: 5 }),
  first: fc.integer({ min: 1, max: 4 }),
  second: fc.integer({ min: 1, max: 3 }),
  records: fc.integer({ min: 1, max: 400 }),
  commitInterval: fc.constantFrom('0ms', '20ms', '5s'),
  batch: fc.constantFrom(1, 40, 5000),
  seed: fc.nat({ max: 1000 }),
  kills: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
});

const FAULTY: ReadonlySet<Call> = new Set(['group', 'send', 'commit', 'commit done', 'poll']);

/** @returns The rows, and how many records were late. */
async function runOf(name: StepName, { batch, commitInterval, kills, records, seed, ...spread }: Plan) {
  const { out, pipeline, right, sizes, source } = chain(name, spread);
  const log = new FaultyLog();
  for (const [each, partitions] of sizes) log.create(each.name, partitions);
  log.publish(source, spells(records));
  if (name === 'rows by a foreign key') {
    log.publish(
      right,
      spells(records).map((record) => ({ ...record, key: `${record.value % 7}` })),
    );
  }
  log.fault = endsAt(FAULTY, kills);
  const transport = async () => unevenly(await log.open(), seed);
  let late = 0;
  for (;;) {
    const app = log.run(pipeline, {
      transport,
      commitInterval,
      batch: { count: batch },
      clock: hastyClock,
      openWindows: 'close',
      until: 'end',
    });
    const done = await app.done.then(
      () => true,
      (error: MillraceError) => {
        if (error.code === 'ERR_TEST') return false;
        throw error;
      },
    );
    late += app.snapshot().late;
    if (!done) continue;
    const rows = log
      .read(out)
      .map(({ key, timestamp, value }) => `${key} ${Math.floor(timestamp / 7000)} ${String(value)}`);
    return { late, rows: rows.sort() };
  }
}

describe('a window behind a shuffle of rows that were held back has all of them, however the work is spread', () => {
  it.each(steps)('%s', { timeout: 60_000 }, async (name) => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { late, rows } = await runOf(name, given);
        expect(late).toBe(0);
        if (name === 'rows by a foreign key' || !STEPS[name].final) return;
        const alone = await runOf(name, { ...ALONE, records: given.records });
        expect(alone.late).toBe(0);
        expect(rows).toEqual(alone.rows);
      }),
      { numRuns: 8 },
    );
  });
});
