import { connect, run } from 'millrace';
import { createTopics, feed, inChunks } from '../shared/feed.ts';
import { interruptSignal } from '../shared/interrupt.ts';
import { readOptions } from '../shared/options.ts';
import { watch } from '../shared/progress.ts';
import { grouped, screenOf } from '../shared/terminal.ts';
import { compareRows, sayVerdict } from '../shared/verdict.ts';
import { expectedAlerts, expectedMonths, rounded } from './check.ts';
import { alerts, months, pipeline, readings } from './pipeline.ts';
import { render } from './render.ts';
import { readWeather } from './weather.ts';

const { path } = readOptions({
  text: 'Monthly means and threshold alerts from four years of real weather in Seattle and New York.\n',
  path: '.millrace/iot',
});
const screen = screenOf(process.stdout);
const signal = interruptSignal();
const weather = await readWeather();
const span = { from: weather[0]?.timestamp ?? 0, to: weather.at(-1)?.timestamp ?? 0 };

const client = await connect({ path });
try {
  await createTopics(client, [readings, months, alerts]);
  const { published } = await feed(client, readings, (from) => inChunks(weather, 500, from), { signal });
  console.log(`published ${grouped(published)} readings`);

  const app = run(pipeline, { applicationId: 'iot', path, until: 'end', signal });
  const { snapshot, seconds } = await watch(app, screenOf(process.stderr), span);
  if (signal.aborted) {
    console.log('Stopped cleanly. Run it again to continue.');
  } else {
    // The newest row of a month replaces the earlier ones.
    const means = new Map<string, { days: number; high: number; low: number; rain: number }>();
    await client.records(months, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      means.set(key, value);
    });
    const raised: [string, { kind: string; date: string; measured: number; where: string }][] = [];
    await client.records(alerts, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      raised.push([key, value]);
    });
    console.log(render(screen, means, raised));

    const rows = [...means].map(([key, month]) => [key, rounded(month)] as const);
    const differences = compareRows(expectedMonths(weather), rows);
    const kinds = raised.map(([station, { date, kind }]) => [`${station} ${date}`, kind] as const);
    compareRows(expectedAlerts(weather), kinds, differences);
    const read = snapshot.recordsIn === 0 ? 'nothing new this time' : `${seconds.toFixed(1)} s`;
    sayVerdict(
      screen,
      `${means.size} months and ${raised.length} alerts agree with a direct computation (${read})`,
      differences,
    );
  }
} finally {
  await client.close();
}
