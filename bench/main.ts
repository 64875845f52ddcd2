import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inChild } from './shared/child.ts';
import { describeMachine, machineLines } from './shared/machine.ts';
import { type BenchOptions, meetsTarget, type Row } from './shared/row.ts';
import { tableLines } from './shared/table.ts';

/** In the order of the table. Each is `NAME.bench.ts`, which exports `run(options): Promise<Row[]>`. */
const BENCHMARKS = [
  'protocol',
  'operators',
  'algebra',
  'windows',
  'windowed-count',
  'embedded-log',
  'client',
  'delay',
  'driver',
  'state',
  'start',
  'telemetry',
] as const;

/** Measured only when they are named: they need more than Node. */
const GROUPS = ['kafka'] as const;

const HELP = `Measures Millrace and prints a table: the median of several runs, and their spread.

  kafka        instead of the rest: on a Kafka broker, beside Kafka Streams and kafkajs. It starts a broker
               (Java 17 and Maven), or takes the one that KAFKA_BROKERS names

  --only A,B   these only; there are ${BENCHMARKS.join(', ')}
  --quick      few and short runs: to see that everything works
  --records N  so many instead of two million (kafka), or of 400,000 (algebra)
  --runs N     each so often instead of three times (kafka, algebra)
  --match TEXT only those whose name contains it, such as 'map,', 'count-1m' or 'delay' (kafka, algebra)
  --json FILE  where the figures go as JSON (bench/results/DATE.json)
  --help       this text

Figures of one run can be compared with each other, and with nothing else.`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    records: { type: 'string' },
    runs: { type: 'string' },
    match: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function chosen(): readonly string[] {
  const names = positionals.length > 0 ? positionals : (values.only?.split(',') ?? BENCHMARKS);
  const all: readonly string[] = [...BENCHMARKS, ...GROUPS];
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length === 0) return names;
  console.error(`There is no benchmark ${unknown.join(', ')}. There are ${all.join(', ')}.`);
  process.exit(2);
}

function countOf(option: 'records' | 'runs'): number | undefined {
  const text = values[option];
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  console.error(`--${option} takes a whole number above 0, and not ${text}.`);
  process.exit(2);
}

async function measure(): Promise<void> {
  const { quick } = values;
  const names = chosen();
  const { match } = values;
  const options: BenchOptions = { quick, match, records: countOf('records'), runs: countOf('runs') };
  const machine = describeMachine();
  for (const line of machineLines(machine)) console.log(line);
  if (quick) console.log('quick: these figures show that everything works, not how fast it is');
  const day = machine.date.slice(0, 19).replaceAll(':', '-');
  const file = values.json ?? fileURLToPath(new URL(`results/${day}.json`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  const results: { readonly benchmark: string; readonly rows: readonly Row[] }[] = [];
  for (const benchmark of names) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[0K${benchmark} …`);
    try {
      const rows = await inChild<Row[]>(new URL(`${benchmark}.bench.ts`, import.meta.url).href, 'run', options);
      results.push({ benchmark, rows });
      // After each, so that nothing is lost when the rest is cut short.
      writeFileSync(file, `${JSON.stringify({ machine, quick, results }, null, 2)}\n`);
    } catch (error) {
      // The child has said why. The others are still worth measuring.
      console.error(`${benchmark} failed: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[0K');
  const rows = results.flatMap((result) => result.rows);
  console.log(`\n${tableLines(rows).join('\n')}\n`);
  const judged = rows.map(meetsTarget).filter((met) => met !== undefined);
  console.log(`${judged.filter((met) => met).length} of ${judged.length} targets met`);
  if (rows.some((row) => row.required && meetsTarget(row) === false)) process.exitCode = 1;
  console.log(`figures in ${file}`);
}

if (values.help) console.log(HELP);
else await measure();
