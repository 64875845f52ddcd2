import { connect, run, watch } from 'millrace';
import { interruptSignal } from '../shared/interrupt.ts';
import { type Options, readOptions } from '../shared/options.ts';
import { showFeeding } from '../shared/progress.ts';
import { grouped, paint, screenOf } from '../shared/terminal.ts';
import { sayVerdict } from '../shared/verdict.ts';
import { ReportCheck } from './check.ts';
import { OtherFlightsError, publishFlights } from './feeder.ts';
import { airportHours, flightsIn, pipelineOf, worstAirports } from './pipeline.ts';
import { render } from './render.ts';
import { openFlights } from './source.ts';
import { Summary } from './summary.ts';

function dataFile({ full, data }: Options['given']): string {
  const file = full === true ? 'flights-3m.parquet' : String(data ?? 'flights-20k.json');
  if (/^flights-(2k|5k|10k|20k)\.json$|^flights-3m\.parquet$/.test(file)) return file;
  throw new Error(`--data ${file}: there is no such file of flights`);
}

function partitionCount({ partitions }: Options['given']): number {
  if (/^([1-9]|1[0-6])$/.test(String(partitions ?? 1))) return Number(partitions ?? 1);
  throw new Error(`--partitions ${partitions}: 1 to 16`);
}

const { path, given } = readOptions({
  text: `Delays of real US flights per airport and hour, and the ten worst airports of each day.

  --data FILE    flights-2k.json, -5k, -10k, -20k (default) or flights-3m.parquet
  --full         three million flights: --data flights-3m.parquet
  --partitions N deal the flights out to so many partitions, instead of 1: the report is the same
  --brokers A    run on a Kafka cluster instead of a folder: --brokers localhost:9092`,
  options: {
    data: { type: 'string' },
    full: { type: 'boolean' },
    partitions: { type: 'string' },
    brokers: { type: 'string' },
  },
  // One folder per file and number of partitions, because each is a different input.
  path: (options) => {
    const partitions = partitionCount(options);
    return `.millrace/demo/${dataFile(options).replace(/\..*/, '')}${partitions > 1 ? `-in-${partitions}` : ''}`;
  },
});
const screen = screenOf(process.stdout);
const progress = screenOf(process.stderr);
const signal = interruptSignal();

const source = await openFlights(dataFile(given));
const brokers = given['brokers'];
const log = typeof brokers === 'string' ? { brokers: brokers.split(',') } : { path };
console.log(
  `${grouped(source.total)} flights of ${source.name}, log ${'brokers' in log ? 'on' : 'in'} ${brokers ?? path}`,
);
const client = await connect(log);
const partitions = partitionCount(given);
const flights = flightsIn(partitions);
try {
  const feeding = showFeeding(progress, source.total);
  const { before, published } = await publishFlights(client, source, partitions, { signal, onChunk: feeding.show });
  feeding.erase();
  console.log(`published ${grouped(published)} flights${before > 0 ? `, ${grouped(before)} were there already` : ''}`);

  const applicationId = 'flights';
  const committed = await client.committed(applicationId, flights);
  const from = [...committed.values()].reduce((sum, offset) => sum + offset, 0);
  const total = before + published;
  if (from > 0) console.log(`${from === total ? 'nothing new: ' : ''}continued at offset ${grouped(from)}`);
  const app = run(pipelineOf(flights), { applicationId, ...log, until: 'end', openWindows: 'close', signal });
  const { seconds } = await watch(app, { span: source.span });
  if (signal.aborted) {
    console.log('Stopped cleanly. Run it again to continue, or with --fresh to start over.');
  } else {
    const peak = process.resourceUsage().maxRSS / 1024;

    const summary = new Summary();
    const check = await ReportCheck.of(source);
    await client.records(airportHours, { from: 'earliest', until: 'end' }).forEach(({ value }) => {
      summary.hour(value);
      check.hour(value);
    });
    await client.records(worstAirports, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      summary.day(key, value);
    });
    for (const [day, worst] of summary.worst) check.day(day, worst);
    check.finish();

    console.log(render(screen, summary));
    sayVerdict(
      screen,
      `${grouped(check.flights)} flights, ${grouped(check.rows)} airport-hours and ${summary.worst.size} days agree with a ` +
        'direct computation',
      check.differences,
    );
    if (from < total) {
      const rate = `${grouped(Math.round((total - from) / seconds))} flights/s`;
      const did = `${grouped(total - from)} flights in ${seconds.toFixed(1)} s (${rate})`;
      console.log(paint(screen, 'dim', `${did}, peak memory ${grouped(Math.round(peak))} MiB`));
    }
  }
} catch (error) {
  if (!(error instanceof OtherFlightsError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
} finally {
  await client.close();
}
