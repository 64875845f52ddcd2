import { connect, run, watch } from 'millrace';
import { createTopics, feed, inChunks } from '../shared/feed.ts';
import { interruptSignal } from '../shared/interrupt.ts';
import { readOptions } from '../shared/options.ts';
import { grouped, screenOf } from '../shared/terminal.ts';
import { compareRows, sayVerdict } from '../shared/verdict.ts';
import { expectedAlerts, expectedMonths, expectedOutages, expectedRises, rounded } from './check.ts';
import { outages, probes, rises } from './cold-rooms.ts';
import { alerts, months, pipeline, readings } from './pipeline.ts';
import { generateReadings } from './probes.ts';
import { render, renderRooms } from './render.ts';
import { readWeather } from './weather.ts';

const { path } = readOptions({
  text:
    'Monthly means and threshold alerts from four years of real weather in Seattle and New York, and an hour of cold\n' +
    'rooms: probes that are silent, and doors that were left open.\n',
  path: '.millrace/iot',
});
const screen = screenOf(process.stdout);
const signal = interruptSignal();
const weather = await readWeather();
const generated = generateReadings(16, 2024);
const span = { from: weather[0]?.timestamp ?? 0, to: weather.at(-1)?.timestamp ?? 0 };

const client = await connect({ path });
try {
  await createTopics(client, [readings, months, alerts, probes, outages, rises]);
  await feed(client, probes, (from) => inChunks(generated, 2_000, from), { signal });
  const { published } = await feed(client, readings, (from) => inChunks(weather, 500, from), { signal });
  console.log(`published ${grouped(published)} days of weather`);

  const app = run(pipeline, { applicationId: 'iot', path, until: 'end', openWindows: 'close', signal });
  const { snapshot, seconds } = await watch(app, { span });
  if (signal.aborted) {
    console.log('Stopped cleanly. Run it again to continue.');
  } else {
    const means = new Map<string, { month: string; days: number; high: number; low: number; rain: number }>();
    await client.records(months, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      means.set(`${key} ${value.month}`, value);
    });
    const raised: [string, { kind: string; date: string; measured: number; where: string }][] = [];
    await client.records(alerts, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      raised.push([key, value]);
    });
    const silent: [string, { since: number; back: number | null }][] = [];
    await client.records(outages, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      silent.push([`${key} ${value.since} ${value.back}`, value]);
    });
    const warmer: [string, { from: number; to: number; perMinute: number }][] = [];
    await client.records(rises, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      warmer.push([`${key} ${value.from}`, value]);
    });
    console.log(render(screen, means, raised));
    console.log(renderRooms(screen, silent, warmer));

    const rows = [...means].map(([key, { month: _, ...row }]) => [key, rounded(row)] as const);
    const differences = compareRows(expectedMonths(weather), rows);
    const kinds = raised.map(([station, { date, kind }]) => [`${station} ${date}`, kind] as const);
    compareRows(expectedAlerts(weather), kinds, differences);
    compareRows(expectedOutages(generated), silent, differences);
    compareRows(expectedRises(generated), warmer, differences);
    const read = snapshot.recordsIn === 0 ? 'nothing new this time' : `${seconds.toFixed(1)} s`;
    sayVerdict(
      screen,
      `${means.size} months, ${raised.length} alerts, ${silent.length} notices of outages and ${warmer.length} of rises ` +
        `agree with a direct computation (${read})`,
      differences,
    );
  }
} finally {
  await client.close();
}
