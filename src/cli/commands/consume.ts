import type { Command } from 'commander';
import { type Client, ConfigError, type PartitionOffsets } from '../../index.ts';
import { counted } from '../../options/counted.ts';
import { durationMs } from '../../options/duration.ts';
import { CODEC_NAMES, type Codec } from '../codecs.ts';
import { consumeAsMember, isolationOf, type Printing, type RawRecords, rawRecords } from '../consume-group.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { ExitError } from '../exit.ts';
import { type Filter, parseFilter } from '../filter.ts';
import { delimiter, fromZero, oneMore, partitions, whole } from '../flags.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { matches, printer } from '../print-record.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing } from '../topic-names.ts';
import { codecsOf } from '../with-file.ts';

interface Flags extends LocationFlags {
  readonly offset?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly fromBeginning?: boolean;
  readonly count?: number;
  readonly num?: number;
  readonly exit?: boolean;
  readonly exitOnEnd?: boolean;
  readonly partition?: readonly number[];
  readonly group?: string;
  readonly format?: string;
  readonly keyDelimiter?: string;
  readonly json?: boolean;
  readonly key?: string;
  readonly value?: string;
  readonly with?: string;
  readonly grep?: string;
  readonly filter?: readonly string[];
  readonly expect?: number;
  readonly timeout?: string;
  readonly readCommitted?: boolean;
  readonly readUncommitted?: boolean;
}

const HELP = `
Offsets (-o), of each partition: beginning, start, end, stored, 100, +100 (after the start), -100 (before the end),
100:200, 100:, :200, :end, @TIME, @TIME:TIME, s@MS, e@MS. A TIME is 10 or 13 digits, 2026-01-31, 2026-01-31T12:00:00Z, -1h.

Format (-f): %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %K and %V lengths, %% and \\n.
%k{hex}, %v{base64} and %d{iso} choose the form; %d{%F %T} takes the letters of strftime, in UTC.

Conditions (--filter): .a.b == 3, .items[0].id != 7, key == ada, .total >= 10, or just .a to require that it exists. Values
are decoded by their serde, or as JSON without one.

With -g, printed records are committed every second and at the end, whether it ends by -n, -e, Ctrl-C or a closed pipe.
Records that are still in a pipe count as printed: for the first ten use -n 10, not | head.

  millrace consume orders -o -10 -e
  millrace consume orders -g billing -n 10
  millrace consume orders -J -e | millrace produce copy -J`;

/** `millrace consume TOPIC` */
export function consumeCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'consume', 'print the records of a topic, then wait for new ones unless told where to end')
    .argument('<topic>')
    .option('-o, --offset <place>', 'where to start, and where to end (default: beginning); may be repeated', oneMore)
    .option('--from-beginning', 'start at the first record (the default)')
    .option('--from <time>', 'start at a time, as in -o @TIME')
    .option('--to <time>', 'end before a time')
    .option('-n, --num <n>', 'end after this many records', whole)
    .option('-c, --count <n>', 'as --num', whole)
    .option('-e, --exit-on-end', 'end at the last record that exists now')
    .option('-p, --partition <n>', 'only this partition; several with commas, or repeated', partitions)
    .option('-g, --group <name>', 'read as a member of a group, from its committed offsets, and commit what is printed')
    .option('-f, --format <text>', 'how to print a record')
    .option(
      '-K, --key-delimiter <text>',
      'print key and value with this text between them; produce -K reads it back if both are text',
      delimiter,
    )
    .option('-J, --json', 'one JSON object per line, as produce --json reads it')
    .option('--key <serde>', `how to decode keys: ${CODEC_NAMES.join(', ')}`)
    .option('--value <serde>', 'how to decode values')
    .option('-w, --with <file>', 'file that exports the declaration of the topic: its serdes decode keys and values')
    .option('--grep <text>', 'only records whose key or value, as printed, contains this text')
    .option('--filter <condition>', "only records that match, such as '.user.name == ada'; may be repeated", oneMore)
    .option('--expect <n>', 'end after this many records, and exit with 3 if there are fewer', fromZero)
    .option('--timeout <duration>', 'end after this long, such as 10s, and exit with 124')
    .option('--read-committed', 'skip records of aborted and open transactions (the default)')
    .option('--read-uncommitted', 'also print records of aborted and open transactions')
    .option('--raw', 'print control characters unescaped')
    .addHelpText('after', HELP)
    .action((topic: string, flags: Flags) => consume(context, topic, flags));
}

async function consume(context: Context, name: string, flags: Flags): Promise<void> {
  checkFlags(flags);
  const { key, value } = await codecsOf(name, flags);
  const print = printer(flags, key, value, context.output.tty);
  const wanted = wantedBy(flags, key, value);
  const most = flags.num ?? flags.count ?? flags.expect ?? Number.POSITIVE_INFINITY;
  const limit = new AbortController();
  const timer =
    flags.timeout === undefined
      ? undefined
      : setTimeout(() => limit.abort(), durationMs(flags.timeout as '1s', '--timeout'));
  const limited = { ...context, signal: AbortSignal.any([context.signal, limit.signal]) };
  let count = 0;
  try {
    await withClient(limited, flags, async (client) => {
      await existing(client, name);
      if (flags.group !== undefined) {
        count = await consumeAsMember(limited, client, name, flags, { print, wanted, most });
      } else if (most > 0) {
        count = await consumeRange(limited, client, name, flags, { print, wanted, most });
      }
    });
  } finally {
    clearTimeout(timer);
  }
  if (limit.signal.aborted && count < most) {
    throw new ExitError(124, `stopped after ${flags.timeout}, with ${counted(count, 'record')}`);
  }
  // If the user stops it, or the reader of the output is gone, nothing is expected.
  if (flags.expect !== undefined && count < flags.expect && !context.signal.aborted) {
    throw new ExitError(3, `there are ${counted(count, 'record')} instead of ${flags.expect}`);
  }
}

/** @returns How many records were printed. */
async function consumeRange(
  context: Context,
  client: Client,
  name: string,
  flags: Flags,
  { most, print, wanted }: Printing,
): Promise<number> {
  const { output, signal } = context;
  let count = 0;
  try {
    const records = await open(client, name, flags, context);
    if (records === undefined) {
      // Without a place to start it is obvious that there are no records.
      if (flags.offset !== undefined) output.say(`there are no records of ${name} at ${flags.offset.join(' ')}`);
      return 0;
    }
    for await (const record of records) {
      if (!wanted(record)) continue;
      await output.data(print(record));
      count += 1;
      if (count >= most || signal.aborted) break;
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
  return count;
}

/** The filter for records to print. */
function wantedBy(flags: Flags, key: Codec | undefined, value: Codec | undefined): Filter {
  const filters = (flags.filter ?? []).map((text) => parseFilter(text, key, value));
  const { grep } = flags;
  return (record) =>
    filters.every((meets) => meets(record)) && (grep === undefined || matches(record, grep, key, value));
}

/** @throws ConfigError `ERR_OPTION` for flags that contradict each other */
function checkFlags(flags: Flags): void {
  const { count, expect, fromBeginning, from, group, num, offset, partition, to } = flags;
  const refuse = (both: string, hint: string): never => {
    throw new ConfigError('ERR_OPTION', `${both} are both given`, { hint });
  };
  const oneOf = (names: Readonly<Record<string, unknown>>, hint: string = 'leave one of them out'): void => {
    const [first, second] = Object.entries(names).filter(([, value]) => value !== undefined && value !== false);
    if (first !== undefined && second !== undefined) refuse(`${first[0]} and ${second[0]}`, hint);
  };
  oneOf({ '--json': flags.json, '--format': flags.format, '--key-delimiter': flags.keyDelimiter });
  oneOf({ '--num': num, '--count': count }, 'they mean the same: leave one of them out');
  oneOf({ '--num': num ?? count, '--expect': expect }, '--expect also ends after so many: leave --num out');
  oneOf({ '--from-beginning': fromBeginning, '--offset': offset, '--from': from });
  oneOf({ '--offset': offset, '--to': to }, 'give the end with -o e@TIME');
  oneOf({ '--read-committed': flags.readCommitted, '--read-uncommitted': flags.readUncommitted });
  const placed = { '--offset': offset, '--from': from, '--to': to, '--partition': partition };
  const place = Object.entries(placed).find(([, value]) => value !== undefined);
  if (group !== undefined && place !== undefined) {
    refuse(
      `--group and ${place[0]}`,
      'a group continues from its committed offsets, in the partitions assigned to it; move it with groups reset',
    );
  }
  if (group === '') throw new ConfigError('ERR_OPTION', '--group is empty', { hint: 'name the group' });
}

/** @returns `undefined` if the range is empty. */
async function open(
  client: Client,
  name: string,
  flags: Flags,
  { now, signal }: Context,
): Promise<RawRecords | undefined> {
  const times = [
    ...(flags.from === undefined ? [] : [`s@${flags.from}`]),
    ...(flags.to === undefined ? [] : [`e@${flags.to}`]),
  ];
  const range = parseRange(flags.offset ?? (times.length === 0 ? ['beginning'] : times), now());
  const ended = range.until ?? (flags.exitOnEnd === true ? ({ kind: 'end' } as const) : undefined);
  const { from, until } = await boundsOf(client, name, { from: range.from, until: ended });
  const wanted = flags.partition ?? [...from.keys()];
  const unknown = wanted.find((each) => !from.has(each));
  if (unknown !== undefined) {
    throw new ConfigError('ERR_UNKNOWN_PARTITION', `topic ${name} has no partition ${unknown}`, {
      topic: name,
      hint: from.size === 1 ? 'it has only partition 0' : `it has partitions 0 to ${from.size - 1}`,
    });
  }
  const partitions =
    until === undefined ? wanted : wanted.filter((each) => (from.get(each) ?? 0) < (until.get(each) ?? 0));
  if (partitions.length === 0) return undefined;
  return rawRecords(client, name, {
    from: { offsets: only(from, partitions) },
    ...(until === undefined ? {} : { until: { offsets: only(until, partitions) } }),
    ...(flags.partition === undefined && until === undefined ? {} : { partitions }),
    isolation: isolationOf(flags),
    signal,
  });
}

function only(offsets: PartitionOffsets, partitions: readonly number[]): PartitionOffsets {
  return new Map([...offsets].filter(([partition]) => partitions.includes(partition)));
}
