import { expect, test } from 'vitest';
import { seeded } from '../../examples/clickstream/random.ts';
import { type FlightsReport, readFlightsReport } from './flights-report.ts';
import { runExample, startExample, temporaryFolder } from './run-example.ts';

const KILLS = 50;
const SEED = 20_010_101;
const DATA = ['--data', 'flights-5k.json'];

async function undisturbed(): Promise<{ readonly report: FlightsReport; readonly ms: number }> {
  const folder = await temporaryFolder();
  try {
    const { code, ms, stdout } = await runExample('flights', ['--path', folder.path, ...DATA]);
    expect(code, stdout).toBe(0);
    return { report: await readFlightsReport(folder.path), ms };
  } finally {
    await folder.remove();
  }
}

test(`killed at ${KILLS} random moments, the demo ends with the report of an undisturbed run`, async () => {
  const random = seeded(SEED);
  const wanted = await undisturbed();
  let kills = 0;
  let rounds = 0;
  while (kills < KILLS) {
    rounds += 1;
    const folder = await temporaryFolder();
    const moments: number[] = [];
    try {
      // One round: kill it again and again, until a run ends by itself before its moment has come.
      for (;;) {
        const run = startExample('flights', ['--path', folder.path, ...DATA]);
        const moment = kills < KILLS ? Math.round(random() * wanted.ms) : Number.POSITIVE_INFINITY;
        const timer = Number.isFinite(moment) ? setTimeout(() => run.child.kill('SIGKILL'), moment) : undefined;
        const { code, signal, stdout, stderr } = await run.finished;
        clearTimeout(timer);
        if (signal === 'SIGKILL') {
          kills += 1;
          moments.push(moment);
          continue;
        }
        expect(code, `round ${rounds}, seed ${SEED}, killed after ${moments.join(', ')} ms\n${stdout}${stderr}`).toBe(
          0,
        );
        break;
      }
      const told = `round ${rounds}, seed ${SEED}, killed after ${moments.join(', ')} ms`;
      const report = await readFlightsReport(folder.path);
      expect(report.published, told).toBe(wanted.report.published);
      for (const [partition, rows] of wanted.report.hours) {
        expect(report.hours.get(partition), `${told}, partition ${partition}`).toEqual(rows);
      }
      expect(report.hours.size, told).toBe(wanted.report.hours.size);
      expect(report.worst, told).toEqual(wanted.report.worst);
    } finally {
      await folder.remove();
    }
  }
  expect(kills).toBe(KILLS);
}, 300_000);
