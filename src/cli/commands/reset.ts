import type { Command } from 'commander';
import {
  type Client,
  ConfigError,
  FatalError,
  type GroupDescription,
  type PartitionOffsets,
  type TopicDescription,
} from '../../index.ts';
import { nameHash } from '../../log/name-hash.ts';
import { meant } from '../../options/nearest.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { oneMore } from '../flags.ts';
import { type LocationFlags, location } from '../location.ts';
import { writeRows } from '../output.ts';
import { loadPipeline } from '../pipeline-file.ts';
import { type PlaceFlags, placeFlags, placeOf } from '../places.ts';
import { existing } from '../topic-names.ts';

interface Flags extends LocationFlags, PlaceFlags {
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
The application forgets what it has read and stored, and starts as if for the first time, or where an option says. Its
stores are deleted, and so are the topics it made for itself (shuffles, changelogs), with their records. A topic that it
writes and reads but did not make is skipped to its end. Input topics and results stay, so results are written again. This
is refused while the application runs, and does nothing without --execute.

  millrace reset clicks
  millrace reset clicks --to-datetime 2026-01-31T12:00:00Z --execute`;

const list = (text: string, before: readonly string[] | undefined): readonly string[] =>
  text.split(',').reduce<readonly string[]>((all, name) => oneMore(name, all), before ?? []);

/** `millrace reset APP` */
export function resetCommand(parent: Command, context: Context): Command {
  const command = onLog(
    parent,
    'reset',
    'start an application over; only shows what would be done unless --execute is given',
  ).argument('<application>');
  return placeFlags(command)
    .option('--input-topics <names>', 'further input topics, separated by commas (default: those it has read)', list)
    .option('--internal-topics <names>', 'further topics of its own to delete, separated by commas', list)
    .option('-w, --with <file>', 'file with its pipeline, to find its topics')
    .option('--export <name>', 'name of the export in that file')
    .option('--dry-run', 'only show what would be done (the default)')
    .option('--execute', 'do it')
    .option('-y, --yes', 'as --execute')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', HELP)
    .action((application: string, flags: Flags) => reset(context, application, flags));
}

/** A step of a reset. */
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
  if (execute && flags.dryRun === true) {
    throw new ConfigError('ERR_OPTION', '--dry-run and --execute are both given', { hint: 'leave one of them out' });
  }
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
    // The group comes last: until it is deleted, repeating the command completes an interrupted reset.
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
  /** Topics that it writes and reads but has not created. */
  readonly passedOver: readonly string[];
  /** Topics that it has created for itself. */
  readonly internal: readonly string[];
  /** Topics that look like changelogs but may belong to another application. */
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
  for (const topic of flags.internalTopics ?? []) checkOwn(await existing(client, topic), application, mark);
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

/** @throws ConfigError `ERR_OPTION` for a topic that is not recognisably one of its own */
function checkOwn({ config, name }: TopicDescription, application: string, mark: string): void {
  const owner = config.owner ?? config.claim;
  if (owner === mark || (owner === undefined && name.startsWith(`${application}-`))) return;
  throw new ConfigError('ERR_OPTION', `--internal-topics: ${name} is not a topic that ${application} made for itself`, {
    topic: name,
    hint: 'an application reads its inputs again from the start; to delete any topic, use millrace topics delete',
  });
}

/** The store whose changelog a topic may be, judged by its name. */
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

async function unknown(client: Client, application: string): Promise<FatalError> {
  const names = await client.groups.list();
  return new FatalError('ERR_UNKNOWN_GROUP', `application ${application} has committed nothing`, {
    hint: names.length === 0 ? 'there are no groups: is this the right folder or cluster?' : meant(application, names),
  });
}
