import { Command } from 'commander';
import { type Client, ConfigError } from '../../index.ts';
import { allLetters, letterAt } from '../../letters/read-letters.ts';
import { ReplayedLetters } from '../../letters/replayed-letters.ts';
import { type Letter, letterOf } from '../../log/read-letter.ts';
import { CODEC_NAMES, codecOf } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { withContents } from '../envelope.ts';
import { ExitError } from '../exit.ts';
import { whole } from '../flags.ts';
import { isoOf, show } from '../format.ts';
import { lastRecords } from '../last-records.ts';
import type { LocationFlags } from '../location.ts';
import { writeRows } from '../output.ts';
import { existing } from '../topic-names.ts';
import { type DropFlags, drop } from './dlq-drop.ts';
import { REPLAY_HELP, type ReplayFlags, replay } from './dlq-replay.ts';

interface Flags extends LocationFlags {
  readonly code?: string;
  readonly num?: number;
  readonly key?: string;
  readonly value?: string;
  readonly json?: boolean;
}

/** `millrace dlq …` */
export function dlqCommand(context: Context): Command {
  const dlq = new Command('dlq').summary('show, replay and remove dead letters');
  onLog(dlq, 'ls', 'list the letters of a dead-letter topic, or the topics that hold letters')
    .alias('list')
    .argument('[topic]')
    .option('--code <code>', 'only letters with this error, such as ERR_DECODE')
    .option('-n, --num <n>', 'at most this many', whole)
    .option('--json', 'one JSON object per line')
    .action((topic: string | undefined, flags: Flags) =>
      withClient(context, flags, (client) =>
        topic === undefined ? listTopics(context, client, flags) : list(context, client, topic, flags),
      ),
    );
  onLog(dlq, 'show', 'show a letter: what failed, where, why, and the record')
    .argument('<topic>')
    .argument('<place>', 'offset, or partition@offset as ls prints it')
    .option('--key <serde>', `how to decode the key: ${CODEC_NAMES.join(', ')}`)
    .option('--value <serde>', 'how to decode the value')
    .option('--json', 'as one JSON object')
    .action((topic: string, place: string, flags: Flags) =>
      withClient(context, flags, (client) => showOne(context, client, topic, place, flags)),
    );
  onLog(
    dlq,
    'replay',
    'write the records of dead letters back to their topics; only counts them unless --execute is given',
  )
    .argument('<topic>')
    .option('--code <code>', 'only letters with this error')
    .option('--to <topic>', 'write them to this topic instead')
    .option('--all', 'include letters that were replayed before')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', REPLAY_HELP)
    .action((topic: string, flags: LocationFlags & ReplayFlags) =>
      withClient(context, flags, (client) => replay(context, client, topic, flags)),
    );
  onLog(dlq, 'drop', 'remove letters; only counts them unless --execute is given')
    .argument('<topic>')
    .option('--before <place>', 'only those before an offset or a time, such as 100 or @-7d (default: end)')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .action((topic: string, flags: LocationFlags & DropFlags) =>
      withClient(context, flags, (client) => drop(context, client, topic, flags)),
    );
  return dlq;
}

const COLUMNS = ['place', 'failed', 'code', 'from', 'step', 'replayed', 'message'];

async function list(context: Context, client: Client, topic: string, flags: Flags): Promise<void> {
  await existing(client, topic);
  const rows: Record<string, string | number | null>[] = [];
  const replayed = await ReplayedLetters.read(client, topic);
  for await (const { letter, record } of allLetters(client, topic, context.signal)) {
    if (flags.code !== undefined && letter.code !== flags.code) continue;
    rows.push({
      place: `${record.partition}@${record.offset}`,
      failed: isoOf(record.timestamp),
      code: letter.code,
      from: placeOf(letter),
      step: letter.step ?? null,
      replayed: replayed.to(record).join(', ') || null,
      message: flags.json === true || !context.output.tty ? letter.message : shortened(letter.message),
    });
    if (rows.length >= (flags.num ?? Number.POSITIVE_INFINITY)) break;
  }
  if (rows.length === 0) context.output.say(`there are no dead letters in ${topic}`);
  await writeRows(context.output, rows, COLUMNS, flags.json === true);
}

const placeOf = ({ origin }: Letter): string =>
  origin === undefined ? 'a row' : `${origin.topic}/${origin.partition}@${origin.offset}`;

/** Shortens a message to fit into a table. */
const shortened = (message: string): string => (message.length > 80 ? `${message.slice(0, 79)}…` : message);

/** Topics whose last record is a dead letter, with the number of letters: offsets do not give it, so they are read. */
async function listTopics(context: Context, client: Client, flags: Flags): Promise<void> {
  const rows: { topic: string; letters: number; replayed: number; last: string }[] = [];
  for (const topic of await client.topics.list()) {
    const last = await lastRecords(client, topic, context.signal);
    const code = last.map(letterOf).findLast((letter) => letter !== undefined)?.code;
    if (code === undefined) continue;
    const row = { topic, letters: 0, replayed: 0, last: code };
    const replayed = await ReplayedLetters.read(client, topic);
    for await (const { record } of allLetters(client, topic, context.signal)) {
      row.letters += 1;
      if (replayed.to(record).length > 0) row.replayed += 1;
    }
    rows.push(row);
  }
  if (rows.length === 0) context.output.say('there are no dead letters');
  await writeRows(context.output, rows, ['topic', 'letters', 'replayed', 'last'], flags.json === true);
}

async function showOne(context: Context, client: Client, topic: string, place: string, flags: Flags): Promise<void> {
  await existing(client, topic);
  const [key, value] = [codecOf('--key', flags.key), codecOf('--value', flags.value)];
  const [, partition = '0', offset] = /^(?:(\d+)@)?(\d+)$/.exec(place) ?? [];
  if (offset === undefined) {
    throw new ConfigError('ERR_OPTION', `${place} is not a place`, { hint: 'such as 17, or 0@17 as dlq ls prints it' });
  }
  const found = await letterAt(client, topic, { partition: Number(partition), offset: Number(offset) });
  if (found === undefined) {
    throw new ExitError(1, `there is no dead letter at ${partition}@${Number(offset)} of ${topic}`);
  }
  const { letter, record } = found;
  const replayed = await ReplayedLetters.read(client, topic);
  const shown = {
    place: `${record.partition}@${record.offset}`,
    failed: isoOf(record.timestamp),
    code: letter.code,
    message: letter.message,
    application: letter.application,
    step: letter.step,
    from: placeOf(letter),
    cut: letter.cut ? 'the letter contains only a part of the record' : undefined,
    replayed: replayed.to(record).join(', ') || undefined,
  };
  const { output } = context;
  const failed = letter.record;
  if (flags.json === true || !output.tty) await output.data(`${withContents(shown, failed, key, value)}\n`);
  else {
    const contents = {
      key: safely(() => show(failed.key, key), failed.key),
      value: safely(() => show(failed.value, value), failed.value),
      headers: failed.headers.map(([name, each]) => `${name}=${show(each, undefined)}`).join(', ') || undefined,
    };
    const said = Object.entries({ ...shown, ...contents }).filter(([, text]) => text !== undefined);
    await output.data(said.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join(''));
  }
}

function safely(shown: () => string, bytesOf: Uint8Array | null): string {
  try {
    return shown();
  } catch {
    return show(bytesOf, undefined);
  }
}
