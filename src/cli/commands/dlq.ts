import { Command } from 'commander';
import { bytes, type Client, ConfigError, topic as declare, nullable, type PartitionOffsets } from '../../index.ts';
import { type Letter, letterOf } from '../../log/read-letter.ts';
import { CODEC_NAMES, codecOf } from '../codecs.ts';
import { type Context, onLog, withClient } from '../context.ts';
import type { RawRecord } from '../envelope.ts';
import { ExitError } from '../exit.ts';
import { whole } from '../flags.ts';
import { isoOf, show } from '../format.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { writeRows } from '../output.ts';
import { boundsOf } from '../range-offsets.ts';
import { toJson } from '../to-json.ts';
import { existing } from '../topic-names.ts';

interface Flags extends LocationFlags {
  readonly code?: string;
  readonly num?: number;
  readonly key?: string;
  readonly value?: string;
  readonly all?: boolean;
  readonly to?: string;
  readonly before?: string;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const REPLAY_HELP = `
Each record goes back to the topic that it came from, with its key, value, headers and timestamp, to its
partition and behind what is there. What was replayed is remembered as the offsets of the group TOPIC.replay, so that the next replay goes on behind it;
--all begins with the first letter again. Told and left out are letters that hold only a part of their record, those of rows
and of batches that cannot be read, and those of records that a step has counted already, which would be counted twice: with
--to another topic these go too. After a crash a letter may be replayed twice.

  millrace dlq replay bad-orders
  millrace dlq replay bad-orders --execute`;

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
  onLog(dlq, 'replay', 'write the records of letters to their topics again; only counts them unless --execute is given')
    .argument('<topic>')
    .option('--code <code>', 'only letters with this error')
    .option('--to <topic>', 'write them to this topic instead')
    .option('--all', 'also letters that were replayed before')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', REPLAY_HELP)
    .action((topic: string, flags: Flags) =>
      withClient(context, flags, (client) => replay(context, client, topic, flags)),
    );
  onLog(dlq, 'drop', 'remove letters; only counts them unless --execute is given')
    .argument('<topic>')
    .option('--before <place>', 'only those before an offset or a time, such as 100 or @-7d (default: end)')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .action((topic: string, flags: Flags) =>
      withClient(context, flags, (client) => drop(context, client, topic, flags)),
    );
  return dlq;
}

type Raw = Uint8Array | null;

const raw = (name: string) => declare(name, { key: nullable(bytes()), value: nullable(bytes()) });

interface Found {
  readonly record: RawRecord;
  readonly letter: Letter;
}

/** The letters of a topic from some offsets to its end now. */
async function* letters(
  client: Client,
  topic: string,
  from: PartitionOffsets,
  { signal }: Pick<Context, 'signal'>,
): AsyncGenerator<Found> {
  const ends = await client.offsets(topic, 'latest');
  const partitions = [...ends.keys()].filter((each) => (from.get(each) ?? 0) < (ends.get(each) ?? 0));
  if (partitions.length === 0) return;
  const only = (offsets: PartitionOffsets): PartitionOffsets =>
    new Map(partitions.map((each) => [each, offsets.get(each) ?? 0]));
  const read = client.records(raw(topic), {
    from: { offsets: only(from) },
    until: { offsets: only(ends) },
    partitions,
    signal,
  });
  for await (const record of read) {
    const letter = letterOf(record);
    if (letter !== undefined) yield { record, letter };
  }
}

/**
 * The last record of each partition. On Kafka the end of a transaction takes an offset too, so it need not be the last offset.
 */
async function lastRecords(client: Client, topic: string, { signal }: Pick<Context, 'signal'>): Promise<RawRecord[]> {
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  const start = (partition: number): number => starts.get(partition) ?? 0;
  const last = new Map<number, RawRecord>();
  let left = [...ends].filter(([partition, end]) => start(partition) < end);
  for (let back = 2; left.length > 0; back *= 8) {
    const from = new Map(left.map(([partition, end]) => [partition, Math.max(start(partition), end - back)]));
    const read = client.records(raw(topic), {
      from: { offsets: from },
      until: { offsets: new Map(left) },
      partitions: [...from.keys()],
      signal,
    });
    for await (const record of read) last.set(record.partition, record);
    left = left.filter(([partition]) => !last.has(partition) && start(partition) < (from.get(partition) ?? 0));
  }
  return [...last.values()];
}

const wanted = ({ letter }: Found, { code }: Flags): boolean => code === undefined || letter.code === code;

async function list(context: Context, client: Client, topic: string, flags: Flags): Promise<void> {
  await existing(client, topic);
  const rows: Record<string, string | number | null>[] = [];
  for await (const found of letters(client, topic, await client.offsets(topic, 'earliest'), context)) {
    if (!wanted(found, flags)) continue;
    const { letter, record } = found;
    rows.push({
      place: `${record.partition}@${record.offset}`,
      failed: isoOf(record.timestamp),
      code: letter.code,
      from: placeOf(letter),
      step: letter.step ?? null,
      message: flags.json === true || !context.output.tty ? letter.message : shortened(letter.message),
    });
    if (rows.length >= (flags.num ?? Number.POSITIVE_INFINITY)) break;
  }
  if (rows.length === 0) context.output.say(`there are no dead letters in ${topic}`);
  await writeRows(context.output, rows, ['place', 'failed', 'code', 'from', 'step', 'message'], flags.json === true);
}

const placeOf = ({ origin }: Letter): string =>
  origin === undefined ? 'a row' : `${origin.topic}/${origin.partition}@${origin.offset}`;

/** The first sentence fits into a table. */
const shortened = (message: string): string => (message.length > 80 ? `${message.slice(0, 79)}…` : message);

/** Topics whose last record is a dead letter. */
async function listTopics(context: Context, client: Client, flags: Flags): Promise<void> {
  const rows: { topic: string; letters: number; last: string }[] = [];
  for (const topic of await client.topics.list()) {
    const last = (await lastRecords(client, topic, context)).map(letterOf).findLast((letter) => letter !== undefined);
    if (last === undefined) continue;
    const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
    const count = [...ends].reduce((sum, [partition, end]) => sum + end - (starts.get(partition) ?? 0), 0);
    rows.push({ topic, letters: count, last: last.code });
  }
  if (rows.length === 0) context.output.say('there are no dead letters');
  await writeRows(context.output, rows, ['topic', 'letters', 'last'], flags.json === true);
}

async function showOne(context: Context, client: Client, topic: string, place: string, flags: Flags): Promise<void> {
  await existing(client, topic);
  const [key, value] = [codecOf('--key', flags.key), codecOf('--value', flags.value)];
  const [, partition = '0', offset] = /^(?:(\d+)@)?(\d+)$/.exec(place) ?? [];
  if (offset === undefined) {
    throw new ConfigError('ERR_OPTION', `${place} is no place`, { hint: 'such as 17, or 0@17 as dlq ls prints it' });
  }
  const [at, ends] = [Number(offset), await client.offsets(topic, 'latest')];
  const end = ends.get(Number(partition)) ?? 0;
  const elsewhere = new Map(
    [...ends].map(([each, last]) => [each, each === Number(partition) ? Math.min(at, end) : last]),
  );
  for await (const { letter, record } of letters(client, topic, elsewhere, context)) {
    if (record.offset !== at) break;
    const shown = {
      place: `${record.partition}@${record.offset}`,
      failed: isoOf(record.timestamp),
      code: letter.code,
      message: letter.message,
      application: letter.application,
      step: letter.step,
      from: placeOf(letter),
      key: safely(() => show(record.key, key), record.key),
      value: safely(() => show(record.value, value), record.value),
      cut: letter.cut ? 'only a part of the record is here' : undefined,
      headers: letter.headers.map(([name, each]) => `${name}=${show(each, undefined)}`).join(', ') || undefined,
    };
    const { output } = context;
    if (flags.json === true || !output.tty) await output.data(`${toJson(shown)}\n`);
    else {
      const said = Object.entries(shown).filter(([, text]) => text !== undefined);
      await output.data(said.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join(''));
    }
    return;
  }
  throw new ExitError(1, `there is no dead letter at ${partition}@${at} of ${topic}`);
}

function safely(shown: () => string, bytesOf: Raw): string {
  try {
    return shown();
  } catch {
    return show(bytesOf, undefined);
  }
}

async function replay(context: Context, client: Client, topic: string, flags: Flags): Promise<void> {
  const { output, signal } = context;
  await existing(client, topic);
  if (flags.to !== undefined) await existing(client, flags.to);
  const execute = flags.execute === true || flags.yes === true;
  const group = `${topic}.replay`;
  const [starts, before] = [await client.offsets(topic, 'earliest'), await client.committed(group, topic)];
  // Letters that were replayed may have been removed, and others with them.
  const from =
    flags.all === true
      ? starts
      : new Map([...starts].map(([each, at]) => [each, Math.max(at, before.get(each) ?? at)]));
  const counts = new Map<string, number>();
  const left = new Map<string, number>();
  const done = new Map<number, number>();
  const note = (into: Map<string, number>, name: string): void => void into.set(name, (into.get(name) ?? 0) + 1);
  // What was written is committed also when a later one fails.
  try {
    for await (const found of letters(client, topic, from, context)) {
      const { letter, record } = found;
      if (wanted(found, flags)) {
        const target = flags.to ?? letter.origin?.topic;
        const why = flags.to === undefined ? letter.notReplayable : letter.notWhole;
        if (why !== undefined || target === undefined) note(left, why ?? '');
        else {
          const there = await client.topics.describe(target);
          if (there === undefined) note(left, `of topic ${target}, which is gone`);
          else {
            const home = letter.origin?.partition ?? there.partitions;
            const back = flags.to === undefined && home < there.partitions ? { partition: home } : {};
            if (execute) await client.publish(raw(target), { ...letter.record, ...back });
            note(counts, target);
          }
        }
      }
      done.set(record.partition, record.offset + 1);
      if (signal.aborted) break;
    }
  } finally {
    // Letters of other errors may be wanted later, so a choice of some is not remembered.
    if (execute && flags.code === undefined && done.size > 0) await client.setCommitted(group, topic, done);
  }
  const rows = [...counts].map(([name, records]) => ({ topic: name, records }));
  await writeRows(output, rows, ['topic', 'records'], flags.json === true);
  for (const [why, count] of left) output.say(`${count} ${count === 1 ? 'letter' : 'letters'} ${why}: left out`);
  const total = rows.reduce((sum, { records }) => sum + records, 0);
  if (total === 0) output.say(`there is nothing to replay in ${topic}${before.size > 0 ? '; --all begins again' : ''}`);
  else if (execute) output.say(`${total} ${total === 1 ? 'record was' : 'records were'} replayed`);
  else output.say(`${total} ${total === 1 ? 'record' : 'records'} would be replayed; add --execute to do it`);
}

async function drop(context: Context, client: Client, topic: string, flags: Flags): Promise<void> {
  const { output } = context;
  await existing(client, topic);
  const { from: before } = await boundsOf(client, topic, parseRange([flags.before ?? 'end'], context.now()));
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  const rows = [...before].map(([partition, offset]) => {
    const start = starts.get(partition) ?? 0;
    return { partition, start, before: Math.max(start, Math.min(offset, ends.get(partition) ?? 0)) };
  });
  await refuseOthers(context, client, topic);
  await writeRows(output, rows, ['partition', 'start', 'before'], flags.json === true);
  const count = rows.reduce((sum, row) => sum + row.before - row.start, 0);
  const letterCount = `${count} ${count === 1 ? 'letter' : 'letters'} of ${topic}`;
  if (flags.execute !== true && flags.yes !== true) {
    output.say(`${letterCount} would be removed; add --execute to do it`);
    return;
  }
  await client.topics.deleteRecords(
    topic,
    rows.filter((row) => row.before > row.start).map((row) => ({ partition: row.partition, offset: row.before })),
  );
  output.say(`${letterCount} removed`);
}

/** A topic that holds something else is not emptied by mistake. */
async function refuseOthers(context: Context, client: Client, topic: string): Promise<void> {
  const last = await lastRecords(client, topic, context);
  if (last.length === 0 || last.some((record) => letterOf(record) !== undefined)) return;
  throw new ConfigError('ERR_OPTION', `the last records of ${topic} are no dead letters`, {
    hint: 'millrace dlq ls lists the topics that hold dead letters',
  });
}
