import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  bytes,
  type Client,
  ConfigError,
  type ConnectOptions,
  topic as declare,
  type Headers,
  nullable,
} from '../../index.ts';
import { CODEC_NAMES, type Codec } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { type EnvelopeRecord, parseEnvelope, textOf } from '../envelope.ts';
import { delimiter, pairs, partition, whole } from '../flags.ts';
import { inputLines, openFile } from '../input-lines.ts';
import { atLine, badText } from '../line-error.ts';
import { LineSender } from '../line-sender.ts';
import type { LocationFlags } from '../location.ts';
import { existing } from '../topic-names.ts';
import { type Codecs, codecsOf } from '../with-file.ts';

interface Flags extends LocationFlags {
  readonly keyDelimiter?: string;
  readonly k?: string;
  readonly header?: readonly (readonly [name: string, value: string])[];
  readonly json?: boolean;
  readonly key?: string;
  readonly value?: string;
  readonly with?: string;
  readonly partition?: number;
  readonly repartition?: boolean;
  readonly tombstone?: boolean;
  readonly file?: string;
  readonly repeat?: number;
  readonly rate?: number;
  readonly compression?: Compression;
}

type Compression = NonNullable<ConnectOptions['compression']>;

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const HELP = `
Each line of standard input is a value; with -K the key stands before the delimiter. Without a serde the bytes are written
as they are. If a line fails, the command says what was written, and with which line to go on: tail -n +LINE.

  echo '{"total":12}' | millrace produce orders -k o-1
  printf 'a:1\\nb:2\\n' | millrace produce numbers -K : --value int32
  millrace consume orders -J -e | millrace produce copy -J`;

/** `millrace produce TOPIC` */
export function produceCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'produce', 'write lines as records to a topic; ends when all are acknowledged')
    .argument('<topic>')
    .option('-K, --key-delimiter <text>', 'the text between key and value in a line', delimiter)
    .option('-k <key>', 'the key of all records')
    .option('-H, --header <name=value>', 'a header of all records; may be repeated', pairs)
    .option('-J, --json', 'read lines in the format that consume --json prints')
    .option('--key <serde>', `how to encode keys: ${CODEC_NAMES.join(', ')}`)
    .option('--value <serde>', 'how to encode values')
    .option('-w, --with <file>', 'file that exports the declaration of the topic: its serdes encode keys and values')
    .option('-p, --partition <n>', 'the partition of all records (default: chosen by key)', partition)
    .option('--repartition', 'with --json: choose partitions by key, and ignore those in the lines')
    .option('-Z, --tombstone', 'write tombstones (null values): each line is a key, or -k gives the key')
    .option('-l, --file <file>', 'read lines from a file')
    .option('--repeat <n>', 'write each record this many times', whole, 1)
    .option('--rate <n>', 'write at most this many records per second', whole)
    .addOption(new Option('-z, --compression <codec>', 'how to compress batches').choices(COMPRESSIONS))
    .addHelpText('after', HELP)
    .action((topic: string, flags: Flags) => produce(context, topic, flags));
}

async function produce(context: Context, name: string, flags: Flags): Promise<void> {
  checkFlags(flags);
  const parse = lineParser(flags, await codecsOf(name, flags));
  const input = readsNothing(flags) ? undefined : await inputOf(context, flags);
  const target = declare(name, { key: nullable(bytes()), value: nullable(bytes()) });
  const compression = flags.compression === undefined ? {} : { compression: flags.compression };
  const work = async (client: Client): Promise<void> => {
    await existing(client, name);
    if (input !== undefined && isTerminal(input)) context.output.say('each line becomes a record; Ctrl-D ends');
    const sender = new LineSender(client, target);
    const failure = await sendAll(sender, input, parse, flags, context.signal);
    await sender.settled();
    const records = `${sender.written} ${sender.written === 1 ? 'record' : 'records'} written to ${name}`;
    const failed = firstOf(sender.failures) ?? failure;
    const tell = input !== undefined && (failed !== undefined || context.signal.aborted);
    context.output.say(tell ? `${records}: ${sender.whatIsWritten()}` : records);
    if (failed !== undefined) throw input === undefined ? failed.error : atLine(failed.line, failed.error);
  };
  try {
    await withClient(context, flags, work, compression);
  } finally {
    input?.destroy();
  }
}

const isTerminal = (input: Readable & { readonly isTTY?: boolean }): boolean => input.isTTY === true;

interface LineFailure {
  readonly line: number;
  readonly error: unknown;
}

/** Sends lines until the input ends or one fails. @returns the line that could not be read as a record */
async function sendAll(
  sender: LineSender,
  input: Readable | undefined,
  parse: (line: Uint8Array) => EnvelopeRecord,
  { rate, repeat = 1 }: Flags,
  signal: AbortSignal,
): Promise<LineFailure | undefined> {
  const paced = pacer(rate, signal);
  let line = 0;
  for await (const text of input === undefined ? [new Uint8Array(0)] : inputLines(input, signal)) {
    line += 1;
    let record: EnvelopeRecord;
    try {
      record = parse(text);
    } catch (error) {
      return { line, error };
    }
    for (let times = repeat; times > 0 && sender.failures.size === 0; times -= 1) {
      await paced();
      // A line that was still waiting does not count as written.
      if (signal.aborted) return undefined;
      await sender.send(line, record);
    }
    if (sender.failures.size > 0 || signal.aborted) return undefined;
  }
  return undefined;
}

/** Waits so that records are written at an even rate, without catching up after a slow line. */
function pacer(rate: number | undefined, signal: AbortSignal): () => Promise<void> | undefined {
  if (rate === undefined) return () => undefined;
  let due = performance.now();
  return async () => {
    const now = performance.now();
    const waitMs = due - now;
    due = Math.max(due, now - 1000) + 1000 / rate;
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  };
}

function firstOf(failures: ReadonlyMap<number, unknown>): LineFailure | undefined {
  const line = Math.min(...failures.keys());
  return failures.size === 0 ? undefined : { line, error: failures.get(line) };
}

async function inputOf({ input }: Context, { file }: Flags): Promise<Readable> {
  return file === undefined ? input : openFile('--file', file);
}

/** Tombstones for a given key need no lines. */
const readsNothing = ({ k, tombstone }: Flags): boolean => k !== undefined && tombstone === true;

/** @throws ConfigError `ERR_OPTION` for flags that contradict each other, or would have no effect */
function checkFlags(flags: Flags): void {
  const { json, k, key, keyDelimiter, partition: fixed, repartition, tombstone, value } = flags;
  const refuse = (problem: string, hint: string): never => {
    throw new ConfigError('ERR_OPTION', problem, { hint });
  };
  if (json === true && (k !== undefined || keyDelimiter !== undefined || tombstone === true)) {
    refuse('--json is given together with a key or a tombstone', 'the lines already contain keys and values');
  }
  if (keyDelimiter === '') refuse('--key-delimiter is empty', 'give the text between key and value');
  if (k !== undefined && keyDelimiter !== undefined) {
    refuse(
      '-k and --key-delimiter are both given',
      'either all records have the same key, or each line contains its key',
    );
  }
  if (tombstone === true && keyDelimiter !== undefined) {
    refuse('--tombstone and --key-delimiter are both given', 'without values each line is a key');
  }
  if (tombstone === true && value !== undefined) {
    refuse('--tombstone and --value are both given', 'a tombstone has no value');
  }
  if (key !== undefined && json !== true && k === undefined && keyDelimiter === undefined && tombstone !== true) {
    refuse('--key is given, but the records have no keys', 'add -k KEY, or --key-delimiter');
  }
  if (repartition === true && json !== true) {
    refuse('--repartition is given without --json', 'partitions are chosen by key anyway');
  }
  if (repartition === true && fixed !== undefined) {
    refuse('--repartition and --partition are both given', 'leave one of them out');
  }
  if (readsNothing(flags) && flags.file !== undefined) {
    refuse('--file is given, but -k with --tombstone reads no lines', 'leave out -k, so that each line is a key');
  }
}

function lineParser(flags: Flags, { key, value }: Codecs): (line: Uint8Array) => EnvelopeRecord {
  const headers: Headers = (flags.header ?? []).map(([name, text]) => [name, utf8(text)]);
  const { partition: fixed } = flags;
  if (flags.json === true) {
    return (line) => {
      const record = parseEnvelope(asText(line), key, value);
      const chosen = fixed ?? (flags.repartition === true ? undefined : record.partition);
      return { ...record, partition: chosen, headers: [...record.headers, ...headers] };
    };
  }
  const common = { partition: fixed, timestamp: undefined, headers };
  const ofAll = flags.k === undefined ? null : encoded(utf8(flags.k), key);
  if (flags.tombstone === true) return (line) => ({ ...common, key: ofAll ?? encoded(line, key), value: null });
  if (flags.keyDelimiter === undefined) return (line) => ({ ...common, key: ofAll, value: encoded(line, value) });
  const delimiter = Buffer.from(flags.keyDelimiter);
  return (line) => {
    const at = Buffer.from(line.buffer, line.byteOffset, line.length).indexOf(delimiter);
    if (at === -1) {
      throw badText(
        `there is no ${JSON.stringify(flags.keyDelimiter)} between key and value`,
        'write KEY and VALUE with the delimiter between them, or leave --key-delimiter out',
      );
    }
    const [before, behind] = [line.subarray(0, at), line.subarray(at + delimiter.length)];
    return { ...common, key: encoded(before, key), value: encoded(behind, value) };
  };
}

/** Encodes text with a serde; without one it is unchanged. */
function encoded(written: Uint8Array, codec: Codec | undefined): Uint8Array {
  return codec === undefined ? written : codec.parse(asText(written));
}

function asText(line: Uint8Array): string {
  const text = textOf(line);
  if (text !== undefined) return text;
  throw badText('it is not UTF-8', 'to write raw bytes, leave out the serde, or encode them with --value base64');
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
