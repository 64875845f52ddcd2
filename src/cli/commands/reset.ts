import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Client, ConfigError, FatalError, type GroupDescription, type PartitionOffsets } from '../../index.ts';
import { nameHash } from '../../log/name-hash.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { oneMore } from '../flags.ts';
import { type LocationFlags, location } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { writeRows } from '../output.ts';
import { loadPipeline } from '../pipeline-file.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing, meant } from '../topic-names.ts';

interface Flags extends LocationFlags {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
  readonly fromFile?: string;
  readonly inputTopics?: readonly string[];
  readonly internalTopics?: readonly string[];
  readonly with?: string;
  readonly export?: string;
  readonly dryRun?: boolean;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const HELP = `
The application forgets what it has read and what it keeps, and starts as for the first time, or from where an option says.
Its stores go, and the topics that it has made for itself (shuffles, changelogs), with their records; a topic that it writes and reads
but did not make is passed over to its end. Input topics and results stay as they are: results are written again.
It is refused while the application runs. Nothing is done without --execute.

  millrace reset clicks
  millrace reset clicks --to-datetime 2026-01-31T12:00:00Z --execute`;

const list = (text: string, before: readonly string[] | undefined): readonly string[] =>
  text.split(',').reduce<readonly string[]>((all, name) => oneMore(name, all), before ?? []);

/** `millrace reset APP` */
export function resetCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'reset', 'start an application over; only shows what would be done unless --execute is given')
    .argument('<application>')
    .option('--to-earliest', 'it reads its input topics from their first records')
    .option('--to-latest', 'it reads only what comes from now on')
    .option('--to-offset <n>', 'it reads from this offset of each partition')
    .option('--to-datetime <time>', 'it reads what is not older than that, such as 2026-01-31T12:00:00Z')
    .option('--by-duration <duration>', 'it reads what is not older than so long ago, such as 1h or PT1H')
    .option('--shift-by <n>', 'it reads from so many records after what it had read; before it with a minus')
    .option('--from-file <file>', 'it reads from the offsets of a file: topic,partition,offset in each line')
    .option('--input-topics <names>', 'further input topics, with commas (default: those it has read)', list)
    .option('--internal-topics <names>', 'further topics of its own to delete, with commas', list)
    .option('-w, --with <file>', 'file with its pipeline, which knows its topics')
    .option('--export <name>', 'name of the export in that file')
    .option('--dry-run', 'only show what would be done (the default)')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', HELP)
    .action((application: string, flags: Flags) => reset(context, application, flags));
}

/** What is to become of one thing of an application. */
interface Step {
  readonly [name: string]: string | number | null;
  readonly what: 'offset' | 'store' | 'topic';
  readonly name: string;
  readonly partition: number | null;
  readonly from: number | null;
  readonly to: number | string | null;
}

async function reset(context: Context, application: string, flags: Flags): Promise<void> {
  const { output } = context;
  const place = placeOf(flags);
  const execute = flags.execute === true || flags.yes === true;
  if (execute && flags.dryRun === true) throw wrong('--dry-run and --execute are both given', 'leave one of them out');
  const stores = await storesOf(flags);
  const onKafka = location(flags, context.env).brokers !== undefined;
  await withClient(context, flags, async (client) => {
    const found = await client.groups.describe(application);
    const topics = await topicsOf(client, application, flags, found, stores);
    if (found === undefined && topics.internal.length === 0) throw await unknown(client, application);
    if (found?.active === true) {
      throw new ConfigError('ERR_GROUP_ACTIVE', `application ${application} is in use, so it cannot be reset`, {
        hint: 'stop it first',
      });
    }
    const moves = new Map<string, PartitionOffsets>();
    for (const topic of topics.inputs) {
      const to = place === undefined ? undefined : await place(client, topic, committedIn(topic, found), context);
      if (to !== undefined) moves.set(topic, to);
    }
    for (const topic of topics.passedOver) moves.set(topic, await client.offsets(topic, 'latest'));
    const steps = stepsOf(found, topics, moves);
    await writeRows(output, steps, ['what', 'name', 'partition', 'from', 'to'], flags.json === true);
    for (const name of topics.doubtful) {
      output.say(
        `topic ${name} may be of another application: name it with --internal-topics, or the pipeline with --with`,
      );
    }
    if (!execute) {
      output.say(`application ${application} would be reset; add --execute to do it`);
      return;
    }
    // The group last: until it is gone, doing it again does what is left.
    for (const topic of topics.internal) await client.topics.delete(topic);
    await client.groups.delete(application);
    for (const [topic, offsets] of moves) await client.setCommitted(application, topic, offsets);
    output.say(`application ${application} was reset`);
    if (onKafka && topics.internal.some((name) => name.endsWith('-changelog'))) {
      output.say('delete the state folders (--state-dir, stateDir) of its processes too: their changelogs are gone');
    }
  });
}

interface Topics {
  readonly inputs: readonly string[];
  /** Topics that it writes and reads, and has not made. */
  readonly passedOver: readonly string[];
  /** Topics that it has made for itself. */
  readonly internal: readonly string[];
  /** Changelogs by their names that may be of another application as well. */
  readonly doubtful: readonly string[];
}

async function topicsOf(
  client: Client,
  application: string,
  flags: Flags,
  found: GroupDescription | undefined,
  stores: readonly string[],
): Promise<Topics> {
  const mark = nameHash(application);
  const there = await client.topics.list();
  const read = new Set((found?.offsets ?? []).map(({ topic }) => topic).filter((topic) => there.includes(topic)));
  for (const topic of flags.inputTopics ?? []) {
    await existing(client, topic);
    read.add(topic);
  }
  for (const topic of flags.internalTopics ?? []) await existing(client, topic);
  const others = (await client.groups.list()).filter((name) => name.startsWith(`${application}-`));
  const own = new Set(flags.internalTopics ?? []);
  const passedOver: string[] = [];
  const doubtful: string[] = [];
  for (const name of there) {
    const changelog = changelogOf(name, application);
    if (!read.has(name) && changelog === undefined && !name.startsWith(`${application}-`)) continue;
    const config = (await client.topics.describe(name))?.config;
    if (config?.owner === mark) own.add(name);
    else if (config?.claim === mark) passedOver.push(name);
    else if (changelog !== undefined && (config?.cleanup ?? '').includes('compact')) {
      const sure = stores.includes(changelog) || (found?.stores ?? []).includes(changelog);
      if (sure || !others.some((other) => name.startsWith(`${other}-`))) own.add(name);
      else doubtful.push(name);
    }
  }
  const inputs = [...read].filter((name) => !own.has(name) && !passedOver.includes(name)).sort();
  return { inputs, passedOver, internal: [...own].sort(), doubtful };
}

/** The store whose changelog a topic may be. */
function changelogOf(topic: string, application: string): string | undefined {
  if (!topic.startsWith(`${application}-`) || !topic.endsWith('-changelog')) return undefined;
  return topic.slice(application.length + 1, -'-changelog'.length);
}

async function storesOf(flags: Flags): Promise<readonly string[]> {
  if (flags.with === undefined) return [];
  const { library, pipeline } = await loadPipeline(flags.with, flags.export);
  return library.describePipeline(pipeline).stages.flatMap(({ steps }) => steps.flatMap(({ stores }) => stores));
}

function stepsOf(
  found: GroupDescription | undefined,
  { internal }: Topics,
  moves: ReadonlyMap<string, PartitionOffsets>,
): Step[] {
  const deleted = new Set(internal);
  const offsets = new Map<string, Step>();
  const put = (topic: string, partition: number, from: number | null, to: number | null): void => {
    offsets.set(`${topic}/${partition}`, { what: 'offset', name: topic, partition, from, to: to ?? 'none' });
  };
  for (const { offset, partition, topic } of found?.offsets ?? []) {
    if (!deleted.has(topic)) put(topic, partition, offset, null);
  }
  for (const [topic, to] of moves) {
    for (const [partition, offset] of to)
      put(topic, partition, committedIn(topic, found).get(partition) ?? null, offset);
  }
  const gone = (what: 'store' | 'topic', name: string): Step => ({
    what,
    name,
    partition: null,
    from: null,
    to: 'deleted',
  });
  return [
    ...offsets.values(),
    ...(found?.stores ?? []).map((name) => gone('store', name)),
    ...internal.map((name) => gone('topic', name)),
  ];
}

const committedIn = (topic: string, found: GroupDescription | undefined): PartitionOffsets =>
  new Map((found?.offsets ?? []).filter((each) => each.topic === topic).map((each) => [each.partition, each.offset]));

/** Finds the offsets of a topic that an option means; `undefined` for a topic that it says nothing of. */
type Place = (
  client: Client,
  topic: string,
  committed: PartitionOffsets,
  context: Context,
) => Promise<PartitionOffsets | undefined>;

/** @throws ConfigError `ERR_OPTION` */
function placeOf(flags: Flags): Place | undefined {
  const { byDuration, fromFile, shiftBy, toDatetime, toEarliest, toLatest, toOffset } = flags;
  const given = Object.entries({ toEarliest, toLatest, toOffset, toDatetime, byDuration, shiftBy, fromFile });
  const named = given.filter(([, value]) => value !== undefined);
  if (named.length > 1) throw wrong('more than one place to start is given', 'leave all but one of them out');
  if (toEarliest === true) return ranged('start');
  if (toLatest === true) return ranged('end');
  if (toOffset !== undefined) return ranged(wholeText('--to-offset', toOffset, /^\d+$/));
  if (toDatetime !== undefined) return ranged(`@${toDatetime}`);
  if (byDuration !== undefined) return ranged(`@-${durationText(byDuration)}`);
  if (shiftBy !== undefined) return shifted(Number(wholeText('--shift-by', shiftBy, /^[+-]?\d+$/)));
  return fromFile === undefined ? undefined : ofFile(fromFile);
}

const ranged =
  (text: string): Place =>
  async (client, topic, _, { now }) =>
    within(client, topic, (await boundsOf(client, topic, parseRange([text], now()))).from);

const shifted =
  (count: number): Place =>
  async (client, topic, committed) =>
    within(client, topic, new Map([...committed].map(([partition, offset]) => [partition, offset + count])));

function ofFile(file: string): Place {
  const offsets = new Map<string, Map<number, number>>();
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('ERR_OPTION', `--from-file: ${file} cannot be read`, { cause, hint: 'check the path' });
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, topic, partition, offset] = /^"?([^",]+)"?,(\d+),(\d+)$/.exec(line.trim()) ?? [];
    if (topic === undefined) throw wrong(`--from-file: line ${index + 1} is ${line}`, 'write topic,partition,offset');
    offsets.set(topic, (offsets.get(topic) ?? new Map<number, number>()).set(Number(partition), Number(offset)));
  }
  return async (client, topic) => {
    const found = offsets.get(topic);
    return found === undefined ? undefined : within(client, topic, found);
  };
}

/** Offsets that there are: what lies before the first record begins there, what lies beyond the end begins at the end. */
async function within(client: Client, topic: string, wanted: PartitionOffsets): Promise<PartitionOffsets> {
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  return new Map(
    [...wanted]
      .filter(([partition]) => ends.has(partition))
      .map(([partition, offset]) => [
        partition,
        Math.min(Math.max(offset, starts.get(partition) ?? 0), ends.get(partition) ?? 0),
      ]),
  );
}

/** `1h`, or as ISO 8601 has it: `PT1H30M` (in seconds). */
function durationText(text: string): string {
  if (/^\d+(?:\.\d+)?(?:ms|[smhdw])$/.test(text)) return text;
  const [whole, days = '0', hours = '0', minutes = '0', seconds = '0'] =
    /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text) ?? [];
  if (whole === undefined || whole.length < 3) throw wrong(`--by-duration is ${text}`, 'such as 1h, 7d or PT1H30M');
  return `${((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)}s`;
}

function wholeText(flag: string, text: string, pattern: RegExp): string {
  if (pattern.test(text) && Number.isSafeInteger(Number(text))) return text;
  throw wrong(`${flag} is ${text}`, 'give a whole number');
}

const wrong = (message: string, hint: string): ConfigError => new ConfigError('ERR_OPTION', message, { hint });

async function unknown(client: Client, application: string): Promise<FatalError> {
  const names = await client.groups.list();
  return new FatalError('ERR_UNKNOWN_GROUP', `application ${application} has committed nothing`, {
    hint: names.length === 0 ? 'there are no groups: is this the right folder or cluster?' : meant(application, names),
  });
}
