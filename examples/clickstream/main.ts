import { connect, run, watch } from 'millrace';
import { bar, sparkline } from '../shared/chart.ts';
import { createTopics, feed, inChunks, recordCount } from '../shared/feed.ts';
import { interruptSignal } from '../shared/interrupt.ts';
import { readOptions } from '../shared/options.ts';
import { tableLines } from '../shared/table.ts';
import { grouped, paint, screenOf } from '../shared/terminal.ts';
import { compareRows, sayVerdict } from '../shared/verdict.ts';
import { expectedOf } from './check.ts';
import { generateClicks, LENGTH_MS, people, START } from './clicks.ts';
import { STEPS } from './funnel.ts';
import { clicks, clicksPerMinute, funnel, lateClicks, pipeline, users, visits } from './pipeline.ts';

const { path } = readOptions({
  text: 'Clicks per user and minute, visits, and a funnel, from a generated click stream with stragglers.\n',
  path: '.millrace/clickstream',
});
const screen = screenOf(process.stdout);
const signal = interruptSignal();
const generated = generateClicks(15_000, 2024);

const client = await connect({ path });
try {
  await createTopics(client, [clicks, users, clicksPerMinute, lateClicks, visits, funnel]);
  // People are older than any click, so their names are known before the first minute closes.
  const rows = [...people].map(([key, value]) => ({ key, value, timestamp: 0 }));
  await feed(client, users, (from) => inChunks(rows, rows.length, from), { signal });
  const published = generated.map(({ timestamp, value }) => ({ timestamp, value }));
  const fed = await feed(client, clicks, (from) => inChunks(published, 2_000, from), { signal });
  console.log(`published ${grouped(fed.published)} clicks`);

  const app = run(pipeline, { applicationId: 'clickstream', path, until: 'end', openWindows: 'close', signal });
  const { snapshot, seconds } = await watch(app, { span: { from: START, to: START + LENGTH_MS } });
  if (signal.aborted) {
    console.log('Stopped cleanly. Run it again to continue.');
  } else {
    const counted: [string, { name: string; minute: number; clicks: number }][] = [];
    await client.records(clicksPerMinute, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      counted.push([`${key} ${value.minute}`, value]);
    });
    const totals = new Map<string, number>();
    const minutes = Array.from({ length: LENGTH_MS / 60_000 }, () => 0);
    for (const [, { name, minute, clicks }] of counted) {
      totals.set(name, (totals.get(name) ?? 0) + clicks);
      const at = Math.max(0, (minute - START) / 60_000);
      minutes[at] = (minutes[at] ?? 0) + clicks;
    }
    const busiest = [...totals].sort(([, a], [, b]) => b - a).slice(0, 5);
    const table = tableLines(
      [{ title: 'busiest people' }, { title: 'clicks', align: 'right' }],
      busiest.map(([name, clicks]) => [name, grouped(clicks)]),
    );
    console.log(`\n${table.join('\n')}\n`);
    console.log(`${paint(screen, 'bold', 'Clicks per minute')}, from noon to two\n${sparkline(minutes)}\n`);

    const visited: [string, { from: number; to: number; clicks: number; steps: number }][] = [];
    await client.records(visits, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      visited.push([`${key} ${value.from}`, value]);
    });
    // The newest count of a step replaces the earlier ones.
    const reached = new Map<string, number>();
    await client.records(funnel, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      reached.set(key, value);
    });
    const all = reached.get(STEPS[0]) ?? 0;
    const stages = STEPS.map((step) => {
      const share = (reached.get(step) ?? 0) / all;
      return [step, grouped(reached.get(step) ?? 0), `${(share * 100).toFixed(0)} %`, bar(share, 40)];
    });
    const columns = [
      { title: 'step' },
      { title: 'visits', align: 'right' },
      { title: '', align: 'right' },
      { title: '' },
    ] as const;
    console.log(`${tableLines(columns, stages).join('\n')}\n`);

    const expected = expectedOf(generated);
    const differences = compareRows(expected.minutes, counted);
    compareRows(expected.visits, visited, differences);
    compareRows(expected.funnel, reached, differences);
    const late = await recordCount(client, lateClicks);
    if (late !== expected.late) differences.add('late clicks', expected.late, late);
    const read = snapshot.recordsIn === 0 ? 'nothing new this time' : `${seconds.toFixed(1)} s`;
    sayVerdict(
      screen,
      `${grouped(counted.length)} minutes and ${grouped(visited.length)} visits of ${people.size} people, a funnel of ` +
        `${reached.size} steps, and ${late} late clicks agree with a direct computation (${read})`,
      differences,
    );
  }
} finally {
  await client.close();
}
