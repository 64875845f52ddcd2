import type { Command } from 'commander';
import {
  bytes,
  type Client,
  ConfigError,
  topic as declare,
  nullable,
  type PartitionOffsets,
  type Records,
  type StreamRecord,
} from '../../index.ts';
import { CODEC_NAMES, type Codec, codecOf } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { envelope, type RawRecord } from '../envelope.ts';
import { isoOf, parseFormat, show } from '../format.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing, whole } from './topics.ts';

interface Flags extends LocationFlags {
  readonly offset?: readonly string[];
  readonly fromBeginning?: boolean;
  readonly count?: number;
  readonly num?: number;
  readonly exit?: boolean;
  readonly exitOnEnd?: boolean;
  readonly partition?: readonly number[];
  readonly group?: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly key?: string;
  readonly value?: string;
  readonly grep?: string;
  readonly readUncommitted?: boolean;
}

type Raw = Uint8Array | null;

const HELP = `
Offsets (-o), of each partition: beginning, start, end, stored, 100, +100 (after the start), -100 (before the end),
100:200, 100:, :200, :end, @TIME, @TIME:TIME, s@MS, e@MS. A TIME is 10 or 13 digits, 2026-01-31, 2026-01-31T12:00:00Z, -1h.

Format (-f): %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %K and %V lengths, %% and \\n.
%k{hex}, %v{base64} and %d{iso} choose how.

  millrace consume orders -o -10 -e
  millrace consume orders -J -e | millrace produce copy -J`;

/** `millrace consume TOPIC` */
export function consumeCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'consume', 'print the records of a topic, and go on with new ones unless told where to end')
    .argument('<topic>')
    .option('-o, --offset <place...>', 'where to begin, and to end (beginning)')
    .option('--from-beginning', 'begin with the first record, as without it')
    .option('-n, --num <n>', 'end after so many records', whole)
    .option('-c, --count <n>', 'as --num', whole)
    .option('-e, --exit-on-end', 'end with the last record that is there now')
    .option('-p, --partition <n...>', 'only these partitions', addPartition)
    .option('-g, --group <name>', 'read as a member of a group, from where it stands, and commit')
    .option('-f, --format <text>', 'how a record is printed')
    .option('-J, --json', 'one JSON object per line, which produce --json takes')
    .option('--key <serde>', `how keys are decoded: ${CODEC_NAMES.join(', ')}`)
    .option('--value <serde>', 'how values are decoded')
    .option('--grep <text>', 'only records whose key or value, as printed, has this text')
    .option('--read-uncommitted', 'also records of transactions that were aborted or are open')
    .option('--raw', 'control characters reach the terminal as they are')
    .addHelpText('after', HELP)
    .action((topic: string, flags: Flags) => consume(context, topic, flags));
}

async function consume(context: Context, name: string, flags: Flags): Promise<void> {
  const { output, signal } = context;
  const [key, value] = [codecOf('--key', flags.key), codecOf('--value', flags.value)];
  const print = printer(flags, key, value, output.tty);
  const most = flags.num ?? flags.count ?? Number.POSITIVE_INFINITY;
  await withClient(context, flags, async (client) => {
    await existing(client, name);
    const records = await open(client, name, flags, context);
    let count = 0;
    try {
      if (records === undefined || most === 0) return;
      for await (const record of records) {
        if (flags.grep !== undefined && !matches(record, flags.grep, key, value)) continue;
        await output.data(print(record));
        count += 1;
        if (count >= most) break;
      }
    } catch (error) {
      if (error !== signal.reason) throw error;
    }
  });
}

/** @returns Nothing where the range is empty. */
async function open(
  client: Client,
  name: string,
  flags: Flags,
  { now, signal }: Context,
): Promise<Records<StreamRecord<Raw, Raw>> | undefined> {
  const source = declare(name, { key: nullable(bytes()), value: nullable(bytes()) });
  const isolation = flags.readUncommitted === true ? 'uncommitted' : 'committed';
  if (flags.group !== undefined) {
    if (flags.offset !== undefined || flags.partition !== undefined) {
      throw new ConfigError('ERR_OPTION', '--group is given together with --offset or --partition', {
        hint: 'a group goes on where it stands, in the partitions that it is given; move it with groups reset',
      });
    }
    const until = flags.exitOnEnd === true ? ({ until: 'end' } as const) : {};
    return client.records(source, { group: flags.group, from: 'earliest', isolation, signal, ...until });
  }
  const texts = flags.offset ?? ['beginning'];
  const range = parseRange(texts, now());
  const ended = range.until ?? (flags.exitOnEnd === true ? ({ kind: 'end' } as const) : undefined);
  const { from, until } = await boundsOf(client, name, { from: range.from, until: ended });
  const wanted = flags.partition ?? [...from.keys()];
  const unknown = wanted.find((each) => !from.has(each));
  if (unknown !== undefined) {
    throw new ConfigError('ERR_UNKNOWN_PARTITION', `topic ${name} has no partition ${unknown}`, {
      topic: name,
      hint: `it has ${from.size}, from 0 on`,
    });
  }
  const partitions =
    until === undefined ? wanted : wanted.filter((each) => (from.get(each) ?? 0) < (until.get(each) ?? 0));
  if (partitions.length === 0) return undefined;
  return client.records(source, {
    from: { offsets: only(from, partitions) },
    ...(until === undefined ? {} : { until: { offsets: only(until, partitions) } }),
    ...(flags.partition === undefined && until === undefined ? {} : { partitions }),
    isolation,
    signal,
  });
}

function only(offsets: PartitionOffsets, partitions: readonly number[]): PartitionOffsets {
  return new Map([...offsets].filter(([partition]) => partitions.includes(partition)));
}

function printer(
  flags: Flags,
  key: Codec | undefined,
  value: Codec | undefined,
  tty: boolean,
): (record: RawRecord) => string {
  if (flags.json === true && flags.format !== undefined) {
    throw new ConfigError('ERR_OPTION', '--json and --format are both given', { hint: 'leave one of them out' });
  }
  if (flags.format !== undefined) {
    const format = parseFormat(flags.format, key, value);
    // As kcat does: the end of a line has to be asked for, unless nothing else was.
    const newline = /\\n|\n/.test(flags.format) ? '' : '\n';
    return (record) => format(record) + newline;
  }
  if (flags.json === true || !tty) return (record) => `${envelope(record, key, value)}\n`;
  return (record) => {
    const place = `${record.partition}@${record.offset}`;
    return `${place.padEnd(10)} ${isoOf(record.timestamp)}  ${safely(record.key, key)}  ${safely(record.value, value)}\n`;
  };
}

/** As decoded; what cannot be decoded stands there as it is. */
function safely(raw: Uint8Array | null, codec: Codec | undefined): string {
  try {
    return show(raw, codec);
  } catch {
    return `(cannot be decoded) ${show(raw, undefined)}`;
  }
}

function matches(record: RawRecord, text: string, key: Codec | undefined, value: Codec | undefined): boolean {
  return safely(record.key, key).includes(text) || safely(record.value, value).includes(text);
}

function addPartition(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), text === '0' ? 0 : whole(text)];
}
