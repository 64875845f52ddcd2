import type { Command } from 'commander';
import {
  bytes,
  type Client,
  ConfigError,
  topic as declare,
  FatalError,
  nullable,
  type PartitionOffsets,
  RecordError,
  type Records,
  type StreamRecord,
} from '../../index.ts';
import { CODEC_NAMES, type Codec } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { envelope, type RawRecord } from '../envelope.ts';
import { oneMore, partitions, whole } from '../flags.ts';
import { isoOf, parseFormat, show } from '../format.ts';
import { withoutHint } from '../line-error.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing } from '../topic-names.ts';
import { codecsOf } from '../with-file.ts';

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
  readonly with?: string;
  readonly grep?: string;
  readonly readUncommitted?: boolean;
}

type Raw = Uint8Array | null;
type RawRecords = Records<StreamRecord<Raw, Raw>>;

const HELP = `
Offsets (-o), of each partition: beginning, start, end, stored, 100, +100 (after the start), -100 (before the end),
100:200, 100:, :200, :end, @TIME, @TIME:TIME, s@MS, e@MS. A TIME is 10 or 13 digits, 2026-01-31, 2026-01-31T12:00:00Z, -1h.

Format (-f): %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T timestamp, %K and %V lengths, %% and \\n.
%k{hex}, %v{base64} and %d{iso} choose how.

With -g what has been printed is committed: every second, and at the end, whether that is -n, -e, Ctrl-C or a reader that
goes away. What lies in a pipe counts as printed: for the first ten say -n 10, and not | head.

  millrace consume orders -o -10 -e
  millrace consume orders -g billing -n 10
  millrace consume orders -J -e | millrace produce copy -J`;

/** `millrace consume TOPIC` */
export function consumeCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'consume', 'print the records of a topic, then wait for new ones unless told where to end')
    .argument('<topic>')
    .option('-o, --offset <place>', 'where to start, and where to end (default: beginning); may be repeated', oneMore)
    .option('--from-beginning', 'start at the first record (the default)')
    .option('-n, --num <n>', 'end after this many records', whole)
    .option('-c, --count <n>', 'as --num', whole)
    .option('-e, --exit-on-end', 'end at the last record that exists now')
    .option('-p, --partition <n>', 'only this partition; several with commas, or repeated', partitions)
    .option('-g, --group <name>', 'read as a member of a group, from its committed offsets, and commit what is printed')
    .option('-f, --format <text>', 'how to print a record')
    .option('-J, --json', 'one JSON object per line, as produce --json reads it')
    .option('--key <serde>', `how to decode keys: ${CODEC_NAMES.join(', ')}`)
    .option('--value <serde>', 'how to decode values')
    .option('-w, --with <file>', 'file that exports the declaration of the topic: its serdes decode keys and values')
    .option('--grep <text>', 'only records whose key or value, as printed, contains this text')
    .option('--read-uncommitted', 'also print records of aborted and open transactions')
    .option('--raw', 'print control characters unescaped')
    .addHelpText('after', HELP)
    .action((topic: string, flags: Flags) => consume(context, topic, flags));
}

async function consume(context: Context, name: string, flags: Flags): Promise<void> {
  const { output, signal } = context;
  checkFlags(flags);
  const { key, value } = await codecsOf(name, flags);
  const print = printer(flags, key, value, output.tty);
  const wanted = (record: RawRecord): boolean => flags.grep === undefined || matches(record, flags.grep, key, value);
  const most = flags.num ?? flags.count ?? Number.POSITIVE_INFINITY;
  await withClient(context, flags, async (client) => {
    await existing(client, name);
    if (flags.group !== undefined) {
      await consumeAsMember(context, client, name, flags, { print, wanted, most });
      return;
    }
    const records = await open(client, name, flags, context);
    let count = 0;
    try {
      if (records === undefined) {
        // Who asks for everything sees that there is nothing.
        if (flags.offset !== undefined) output.say(`there are no records of ${name} at ${flags.offset.join(' ')}`);
        return;
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
  });
}

/** What is printed of the records that come. */
interface Printing {
  readonly print: (record: RawRecord) => string;
  readonly wanted: (record: RawRecord) => boolean;
  readonly most: number;
}

/**
 * Reads for a group. What has been printed is committed, at the latest at the end; what could not be printed, because nobody
 * reads any more, is not.
 */
async function consumeAsMember(
  { output, signal }: Context,
  client: Client,
  name: string,
  flags: Flags,
  { most, print, wanted }: Printing,
): Promise<void> {
  const group = flags.group as string;
  const enough = new AbortController();
  const ended = AbortSignal.any([signal, enough.signal]);
  const printed = new Map<number, number>();
  const records = asMember(client, name, flags, group, ended)[Symbol.asyncIterator]();
  try {
    for (let count = 0; ; ) {
      // Whoever asks for the next record says that the one before is done, and so it is committed.
      const next = records.next();
      if (count >= most) {
        enough.abort();
        await next;
        break;
      }
      const { done, value: record } = await next;
      if (done === true) break;
      if (!wanted(record)) continue;
      if (!(await output.deliver(print(record)))) break;
      printed.set(record.partition, record.offset + 1);
      count += 1;
    }
  } catch (error) {
    if (error !== ended.reason) throw error;
  } finally {
    // The last commit.
    await records.return();
  }
  await checkCommitted(client, group, name, printed);
}

function asMember(client: Client, name: string, flags: Flags, group: string, signal: AbortSignal): RawRecords {
  return client.records(raw(name), {
    group,
    from: 'earliest',
    isolation: isolationOf(flags),
    signal,
    ...(flags.exitOnEnd === true ? { until: 'end' } : {}),
  });
}

/** @throws FatalError `ERR_NOT_COMMITTED` when the group does not stand behind what was printed */
async function checkCommitted(client: Client, group: string, topic: string, printed: PartitionOffsets): Promise<void> {
  if (printed.size === 0) return;
  const committed = await client.committed(group, topic);
  for (const [partition, offset] of printed) {
    const stands = committed.get(partition) ?? 0;
    if (stands >= offset) continue;
    throw new FatalError('ERR_NOT_COMMITTED', `group ${group} is at ${stands}, but records up to here were printed`, {
      topic,
      partition,
      offset: offset - 1,
      hint: 'the last commit failed: the next member of the group reads these records again',
    });
  }
}

const raw = (name: string) => declare(name, { key: nullable(bytes()), value: nullable(bytes()) });

const isolationOf = ({ readUncommitted }: Flags): 'uncommitted' | 'committed' =>
  readUncommitted === true ? 'uncommitted' : 'committed';

/** @throws ConfigError `ERR_OPTION` for flags that contradict each other */
function checkFlags({ count, format, fromBeginning, group, json, num, offset, partition }: Flags): void {
  const refuse = (both: string, hint: string): never => {
    throw new ConfigError('ERR_OPTION', `${both} are both given`, { hint });
  };
  if (json === true && format !== undefined) refuse('--json and --format', 'leave one of them out');
  if (num !== undefined && count !== undefined)
    refuse('--num and --count', 'they mean the same: leave one of them out');
  if (fromBeginning === true && offset !== undefined) {
    refuse('--from-beginning and --offset', 'leave one of them out');
  }
  if (group !== undefined && (offset !== undefined || partition !== undefined)) {
    refuse(
      `--group and ${offset === undefined ? '--partition' : '--offset'}`,
      'a group continues from its committed offsets, in the partitions assigned to it; move it with groups reset',
    );
  }
  if (group === '') throw new ConfigError('ERR_OPTION', '--group is empty', { hint: 'name the group' });
}

/** @returns Nothing where the range is empty. */
async function open(
  client: Client,
  name: string,
  flags: Flags,
  { now, signal }: Context,
): Promise<RawRecords | undefined> {
  const texts = flags.offset ?? ['beginning'];
  const range = parseRange(texts, now());
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
  return client.records(raw(name), {
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

function printer(
  flags: Flags,
  key: Codec | undefined,
  value: Codec | undefined,
  tty: boolean,
): (record: RawRecord) => string {
  if (flags.format !== undefined) {
    const format = parseFormat(flags.format, key, value);
    // As kcat does: the end of a line has to be asked for, unless nothing else was.
    const newline = /\\n|\n/.test(flags.format) ? '' : '\n';
    return (record) => {
      try {
        return format(record) + newline;
      } catch (error) {
        throw unprintable(record, error);
      }
    };
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

/** With a format nothing but the value has a place: what cannot be decoded ends the command. */
function unprintable({ offset, partition, topic }: RawRecord, error: unknown): unknown {
  if (!(error instanceof RecordError)) return error;
  return new RecordError(error.code, withoutHint(error), {
    cause: error,
    topic,
    partition,
    offset,
    hint: 'print it as it is: without --key and --value, with %v{hex}, or with --json, which says what is wrong',
  });
}
