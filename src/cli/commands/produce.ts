import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import {
  bytes,
  ConfigError,
  topic as declare,
  type Header,
  type Headers,
  MillraceError,
  nullable,
  RecordError,
} from '../../index.ts';
import { CODEC_NAMES, type Codec, codecOf } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { type EnvelopeRecord, parseEnvelope } from '../envelope.ts';
import type { LocationFlags } from '../location.ts';
import { existing, whole } from './topics.ts';

interface Flags extends LocationFlags {
  readonly keyDelimiter?: string;
  readonly k?: string;
  readonly header?: readonly string[];
  readonly json?: boolean;
  readonly key?: string;
  readonly value?: string;
  readonly partition?: string;
  readonly repartition?: boolean;
  readonly tombstone?: boolean;
  readonly file?: string;
  readonly repeat?: number;
  readonly compression?: string;
}

/** Records that may wait for their acknowledgement before more lines are read. */
const IN_FLIGHT = 10_000;
const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const HELP = `
Each line of standard input is a value; with -K the key stands before the delimiter.

  echo '{"total":12}' | millrace produce orders -k o-1
  printf 'a:1\\nb:2\\n' | millrace produce numbers -K : --value int32
  millrace consume orders -J -e | millrace produce copy -J`;

/** `millrace produce TOPIC` */
export function produceCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'produce', 'write lines as records to a topic; resolves when all are acknowledged')
    .argument('<topic>')
    .option('-K, --key-delimiter <text>', 'what separates key and value in a line')
    .option('-k <key>', 'the key of all records')
    .option('-H, --header <name=value...>', 'a header of all records')
    .option('-J, --json', 'lines are what consume --json prints')
    .option('--key <serde>', `how keys are encoded: ${CODEC_NAMES.join(', ')} (string)`)
    .option('--value <serde>', 'how values are encoded (string)')
    .option('-p, --partition <n>', 'the partition of all records; by default that of the key')
    .option('--repartition', 'with --json: choose partitions by key, and not as the lines say')
    .option('-Z, --tombstone', 'write null values for the keys: each line is a key, or -k is given')
    .option('-l, --file <file>', 'read lines from a file')
    .option('--repeat <n>', 'write each record so many times', whole, 1)
    .option('-z, --compression <codec>', COMPRESSIONS.join(', '))
    .addHelpText('after', HELP)
    .action((topic: string, flags: Flags) => produce(context, topic, flags));
}

async function produce(context: Context, name: string, flags: Flags): Promise<void> {
  const parse = lineParser(flags);
  const target = declare(name, { key: nullable(bytes()), value: nullable(bytes()) });
  let written = 0;
  await withClient(context, flags, async (client) => {
    await existing(client, name);
    const waiting = new Set<Promise<void>>();
    let failure: { readonly error: unknown } | undefined;
    let line = 0;
    const only = flags.k !== undefined && flags.tombstone === true;
    for await (const text of only ? [''] : lines(context, flags)) {
      line += 1;
      const record = atLine(line, () => parse(text));
      for (let times = flags.repeat ?? 1; times > 0; times -= 1) {
        const { partition, timestamp, ...rest } = record;
        const sent = client.publish(target, { ...rest, partition, timestamp }).then(
          () => void (written += 1),
          (error: unknown) => void (failure ??= { error }),
        );
        waiting.add(sent);
        void sent.finally(() => waiting.delete(sent));
        if (waiting.size >= IN_FLIGHT) await Promise.race(waiting);
      }
      if (failure !== undefined || context.signal.aborted) break;
    }
    await Promise.all(waiting);
    context.output.say(`${written} records written to ${name}`);
    if (failure !== undefined) throw failure.error;
  });
}

function lines({ input }: Context, { file }: Flags): AsyncIterable<string> {
  const from = file === undefined ? input : createReadStream(file);
  return createInterface({ input: from, crlfDelay: Number.POSITIVE_INFINITY });
}

/** Errors of a line say which one it was. */
function atLine<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw new MillraceError(error.errorClass, error.code, `line ${line}: ${error.message}`, { cause: error });
  }
}

function lineParser(flags: Flags): (line: string) => EnvelopeRecord {
  const [key, value] = [codecOf('--key', flags.key), codecOf('--value', flags.value)];
  const headers = (flags.header ?? []).map(headerOf);
  const partition = flags.partition === undefined ? undefined : partitionOf(flags.partition);
  if (flags.json === true) {
    for (const other of ['k', 'keyDelimiter', 'tombstone'] as const) {
      if (flags[other] === undefined) continue;
      throw new ConfigError('ERR_OPTION', '--json is given together with a key or a tombstone', {
        hint: 'the lines say keys and values themselves',
      });
    }
    return (line) => {
      const record = parseEnvelope(line, key, value);
      const chosen = partition ?? (flags.repartition === true ? undefined : record.partition);
      return { ...record, partition: chosen, headers: [...record.headers, ...headers] };
    };
  }
  const [keys, values] = [key ?? textCodec(), value ?? textCodec()];
  const common = { partition, timestamp: undefined, headers: headers as Headers };
  const fixed = flags.k === undefined ? null : keys.parse(flags.k);
  if (flags.tombstone === true) return (line) => ({ ...common, key: fixed ?? keys.parse(line), value: null });
  const delimiter = flags.keyDelimiter;
  if (delimiter === undefined) return (line) => ({ ...common, key: fixed, value: values.parse(line) });
  return (line) => {
    const at = line.indexOf(delimiter);
    if (at === -1) {
      throw new RecordError('ERR_ENVELOPE', `there is no ${JSON.stringify(delimiter)} between key and value`, {
        hint: 'write KEY and VALUE with the delimiter between them, or leave --key-delimiter out',
      });
    }
    return { ...common, key: keys.parse(line.slice(0, at)), value: values.parse(line.slice(at + delimiter.length)) };
  };
}

const textCodec = (): Codec => codecOf('--value', 'string') as Codec;

function headerOf(text: string): Header {
  const at = text.indexOf('=');
  if (at === -1) return [text, null];
  return [text.slice(0, at), new TextEncoder().encode(text.slice(at + 1))];
}

function partitionOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ConfigError('ERR_OPTION', `--partition is ${JSON.stringify(text)}`, { hint: 'give a number from 0 on' });
}
