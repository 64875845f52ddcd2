import fc from 'fast-check';
import type { MillraceError } from 'millrace';
import { describe, expect, it } from 'vitest';
import { backlog, expected, program, rowsOf, type Shape, shapes, unevenly } from './shuffle-time.ts';
import { type Call, endsAt, FaultyLog, hastyClock } from './support.ts';

interface Plan extends Shape {
  readonly records: number;
  readonly commitInterval: '0ms' | '20ms' | '5s';
  readonly batch: number;
  readonly seed: number;
  /** After how many calls the process is gone, again and again. */
  readonly kills: readonly number[];
}

const plan: fc.Arbitrary<Plan> = fc.record({
  name: fc.constantFrom(...shapes),
  sources: fc.integer({ min: 1, max: 7 }),
  shuffles: fc.integer({ min: 1, max: 5 }),
  records: fc.integer({ min: 1, max: 1500 }),
  commitInterval: fc.constantFrom('0ms', '20ms', '5s'),
  batch: fc.constantFrom(1, 40, 5000),
  seed: fc.nat({ max: 1000 }),
  kills: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
});

const FAULTY: ReadonlySet<Call> = new Set(['group', 'send', 'commit', 'commit done', 'poll']);

/** @returns The rows, and how many records were late. */
async function runOf({ batch, commitInterval, kills, records, seed, ...shape }: Plan) {
  const { out, pipeline, sizes, source } = program(shape);
  const log = new FaultyLog();
  for (const [{ name }, partitions] of sizes) log.create(name, partitions);
  log.publish(source, backlog(records));
  log.fault = endsAt(FAULTY, kills);
  const transport = async () => unevenly(await log.open(), seed);
  const options = {
    transport,
    commitInterval,
    batch: { count: batch },
    clock: hastyClock,
    openWindows: 'close',
  } as const;
  let late = 0;
  for (;;) {
    const app = log.run(pipeline, { ...options, until: 'end' });
    const done = await app.done.then(
      () => true,
      (error: MillraceError) => {
        if (error.code === 'ERR_TEST') return false;
        throw error;
      },
    );
    late += app.snapshot().late;
    if (done) return { rows: rowsOf(log.read(out)), late };
  }
}

describe('event time across a shuffle', () => {
  it('makes the same rows and nothing late, however the work is spread', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { late, rows } = await runOf(given);
        expect(late).toBe(0);
        expect(rows).toEqual(expected(given.records, given));
      }),
      { numRuns: 60 },
    );
  });
});
