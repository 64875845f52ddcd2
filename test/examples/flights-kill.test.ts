import { beforeAll, expect, test } from 'vitest';
import { seeded } from '../../examples/shared/random.ts';
import { compileExample } from './compile.ts';
import { type FlightsReport, readFlightsReport } from './flights-report.ts';
import { type Finished, type Running, start, temporaryFolder } from './run-example.ts';

const KILLS = 50;
const SEED = 20_010_101;

let program: string;
beforeAll(async () => {
  program = await compileExample('flights');
});

/** Starts the demo on a folder; resolves when it is about to open the log. */
async function begin(path: string): Promise<Running> {
  const run = start([program, '--path', path, '--data', 'flights-5k.json']);
  await run.printed('log in');
  return run;
}

/** Runs the demo once, and measures how long it works. */
async function undisturbed(): Promise<{ readonly report: FlightsReport; readonly workMs: number }> {
  const folder = await temporaryFolder();
  try {
    const run = await begin(folder.path);
    const begun = performance.now();
    const { code, stderr, stdout } = await run.finished;
    const workMs = performance.now() - begun;
    expect(code, `${stdout}${stderr}`).toBe(0);
    return { report: await readFlightsReport(folder.path), workMs };
  } finally {
    await folder.remove();
  }
}

/** Kills a run after a while; it may have ended by itself before. */
async function killAfter(run: Running, ms: number): Promise<Finished> {
  const timer = setTimeout(() => run.child.kill('SIGKILL'), ms);
  try {
    return await run.finished;
  } finally {
    clearTimeout(timer);
  }
}

function expectSame(report: FlightsReport, wanted: FlightsReport, told: string): void {
  expect(report.published, told).toBe(wanted.published);
  expect(report.hours.size, told).toBe(wanted.hours.size);
  for (const [partition, rows] of wanted.hours) {
    expect(report.hours.get(partition), `${told}, partition ${partition}`).toEqual(rows);
  }
  expect(report.worst, told).toEqual(wanted.worst);
}

test(`killed at ${KILLS} random moments, the demo ends with the report of an undisturbed run`, async () => {
  const random = seeded(SEED);
  const wanted = await undisturbed();
  let kills = 0;
  for (let round = 1; kills < KILLS; round += 1) {
    const folder = await temporaryFolder();
    const moments: number[] = [];
    const told = (): string => `round ${round}, seed ${SEED}, killed after ${moments.join(', ')} ms of work`;
    try {
      // Kill it again and again, until a run ends by itself before its moment has come.
      for (let over = false; !over; ) {
        const moment = Math.round(random() * wanted.workMs);
        const run = await begin(folder.path);
        const { code, signal, stdout, stderr } = await (kills < KILLS ? killAfter(run, moment) : run.finished);
        over = signal !== 'SIGKILL';
        if (over) expect(code, `${told()}\n${stdout}${stderr}`).toBe(0);
        else moments.push(moment);
        if (!over) kills += 1;
      }
      expectSame(await readFlightsReport(folder.path), wanted.report, told());
    } finally {
      await folder.remove();
    }
  }
  expect(kills).toBe(KILLS);
}, 600_000);
