import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chain, type Spread, STEPS, type StepName, spells, steps } from './chained-shuffles.ts';
import { Instance } from './several-instances.ts';
import { FaultyLog, rounds, until } from './support.ts';

/** One of the processes of a round. Its times are in turns of the event loop. */
interface Process {
  readonly starts: number;
  /** For how long its tasks wait before they begin, as they do while stores are restored. */
  readonly restores: number;
  /** When it is gone, if it is: after that many turns. */
  readonly dies: number | undefined;
}

/** What is published, and the processes that then run to the end beside each other. */
interface Round {
  readonly records: number;
  readonly processes: readonly Process[];
}

interface Plan extends Spread {
  readonly rounds: readonly Round[];
}

const process: fc.Arbitrary<Process> = fc.record({
  starts: fc.nat({ max: 40 }),
  restores: fc.constantFrom(0, 0, 30, 200),
  dies: fc.option(fc.integer({ min: 1, max: 150 }), { nil: undefined, freq: 3 }),
});

const plan: fc.Arbitrary<Plan> = fc.record({
  sources: fc.integer({ min: 1, max: 4 }),
  first: fc.integer({ min: 1, max: 4 }),
  second: fc.integer({ min: 1, max: 3 }),
  rounds: fc.array(
    fc.record({
      records: fc.integer({ min: 0, max: 120 }),
      processes: fc.array(process, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** A run that keeps windows is at the end, so time behind it does not wait for them: their rows come late by up to all there is. */
const GRACE = '1h';

const alone: Process = { starts: 0, restores: 0, dies: undefined };

/** @returns The rows after a last run that closes what is open, and how many records were late in all of them. */
async function runOf(name: StepName, { rounds: planned, ...spread }: Plan) {
  const { out, pipeline, right, sizes, source } = chain(name, spread, GRACE);
  const log = new FaultyLog();
  for (const [each, partitions] of sizes) log.create(each.name, partitions);
  const records = spells(planned.reduce((sum, round) => sum + round.records, 0));
  let published = 0;
  let late = 0;
  const start = async ({ dies, restores, starts }: Process): Promise<void> => {
    await rounds(starts);
    const instance = new Instance(log.log, pipeline, restores > 0, { until: 'end', openWindows: 'keep' });
    const { app } = instance;
    if (restores > 0) void rounds(restores).then(() => instance.restored());
    if (dies !== undefined) void rounds(dies).then(() => instance.kill());
    let ended = false;
    let error: unknown;
    app.done.then(
      () => (ended = true),
      (failure: unknown) => {
        ended = true;
        error = failure;
      },
    );
    await until(`a process to end; it waits for ${app.snapshot().waitingFor.join(', ')}`, () => ended);
    late += app.snapshot().late;
    if (!instance.killed && error !== undefined) throw error;
  };
  for (const round of planned) {
    const more = records.slice(published, published + round.records);
    published += more.length;
    log.publish(source, more);
    if (name === 'rows by a foreign key')
      log.publish(
        right,
        more.map((record) => ({ ...record, key: `${record.value % 7}` })),
      );
    await Promise.all(round.processes.map(start));
  }
  const last = log.run(pipeline, { until: 'end', openWindows: 'close', logger: false });
  await last.done;
  late += last.snapshot().late;
  const rows = log.read(out).map(({ key, timestamp, value }) => `${key} ${Math.floor(timestamp / 7000)} ${value}`);
  return { late, rows: rows.sort() };
}

describe('processes that run to the end beside each other, and keep windows, lose and double nothing', () => {
  it.each(steps)('%s', { timeout: 120_000 }, async (name) => {
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const { late, rows } = await runOf(name, given);
        expect(late).toBe(0);
        if (name === 'rows by a foreign key' || !STEPS[name].final) return;
        const records = given.rounds.reduce((sum, round) => sum + round.records, 0);
        const one = await runOf(name, { sources: 1, first: 1, second: 1, rounds: [{ records, processes: [alone] }] });
        expect(one.late).toBe(0);
        expect(rows).toEqual(one.rows);
      }),
      { numRuns: 8 },
    );
  });
});
