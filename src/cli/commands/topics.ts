import { Command } from 'commander';
import { type Client, ConfigError, type TopicConfig } from '../../index.ts';
import { counted } from '../../options/counted.ts';
import { meant } from '../../options/nearest.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { pairs, whole } from '../flags.ts';
import type { LocationFlags } from '../location.ts';
import { writeRows } from '../output.ts';
import { existing } from '../topic-names.ts';

interface Flags extends LocationFlags {
  readonly json?: boolean;
}

interface ConfigFlags extends Flags {
  readonly config?: readonly (readonly [name: string, value: string])[];
}

/** `millrace topics …` */
export function topicsCommand(context: Context): Command {
  const topics = new Command('topics').summary('list, create, describe, configure, release and delete topics');
  onLog(topics, 'ls', 'list topics with their partitions and records')
    .alias('list')
    .option('--json', 'one JSON object per line')
    .action((flags: Flags) => list(context, flags));
  onLog(topics, 'describe', 'show partitions, offsets and configuration of a topic')
    .argument('<topic>')
    .option('--json', 'one JSON object per line')
    .action((topic: string, flags: Flags) => describe(context, topic, flags));
  onLog(topics, 'create', 'create a topic')
    .argument('<topic>')
    .option('-p, --partitions <n>', 'number of partitions', whole, 1)
    .option('-c, --config <name=value>', CONFIG_HELP, pairs)
    .option('--if-not-exists', 'do nothing if the topic exists')
    .action((topic: string, flags: ConfigFlags & { partitions: number; ifNotExists?: boolean }) =>
      create(context, topic, flags),
    );
  onLog(topics, 'configure', 'change the configuration or raise the number of partitions of a topic')
    .argument('<topic>')
    .option('-c, --config <name=value>', CONFIG_HELP, pairs)
    .option('-p, --partitions <n>', 'raise the number of partitions to this; keys move between partitions', whole)
    .action((topic: string, flags: ConfigFlags & { partitions?: number }) => configure(context, topic, flags));
  onLog(topics, 'release', 'release a topic from the application that owns it, so that another one can own it')
    .argument('<topic>')
    .action((topic: string, flags: Flags) =>
      withClient(context, flags, async (client) => {
        await existing(client, topic);
        await client.topics.release(topic);
        context.output.say(`topic ${topic} belongs to no application; the next one that writes and reads it owns it`);
      }),
    );
  onLog(topics, 'delete', 'delete a topic with its records; only shows what would be deleted unless --yes is given')
    .argument('<topic>')
    .option('-y, --yes', 'delete it')
    .action((topic: string, flags: Flags & { yes?: boolean }) => remove(context, topic, flags));
  return topics;
}

/** The settings that users may give. */
const SETTINGS: readonly (keyof TopicConfig)[] = [
  'cleanup',
  'retentionMs',
  'retentionBytes',
  'maxMessageBytes',
  'minCompactionLagMs',
];
const CONFIG_HELP = `${SETTINGS.join(', ')}, such as cleanup=compact; may be repeated`;

async function create(
  context: Context,
  topic: string,
  { ifNotExists = false, partitions, ...flags }: ConfigFlags & { partitions: number; ifNotExists?: boolean },
): Promise<void> {
  const config = configOf(flags.config ?? []);
  const work = async (client: Client): Promise<void> => {
    const before = ifNotExists ? await client.topics.describe(topic) : undefined;
    await client.topics.create(topic, { partitions, config, ifMissing: ifNotExists });
    const { partitions: count = partitions } = (await client.topics.describe(topic)) ?? {};
    const is = before === undefined ? 'was created' : 'already exists and was not changed';
    context.output.say(`topic ${topic} ${is}, with ${count} ${count === 1 ? 'partition' : 'partitions'}`);
  };
  await withClient(context, flags, work, { create: true });
}

async function configure(
  context: Context,
  topic: string,
  flags: ConfigFlags & { readonly partitions?: number },
): Promise<void> {
  if (flags.config === undefined && flags.partitions === undefined) {
    throw new ConfigError('ERR_OPTION', 'there is nothing to change', {
      hint: `give --config or --partitions; millrace topics describe ${topic} shows the current configuration`,
    });
  }
  const config = configOf(flags.config ?? []);
  await withClient(context, flags, async (client) => {
    await existing(client, topic);
    if (flags.config !== undefined) await client.topics.configure(topic, config);
    if (flags.partitions !== undefined) await client.topics.addPartitions(topic, flags.partitions);
    context.output.say(`topic ${topic} was changed`);
  });
}

async function list(context: Context, flags: Flags): Promise<void> {
  await withClient(context, flags, async (client) => {
    const rows = [];
    for (const name of await client.topics.list()) {
      const [starts, ends] = await Promise.all([client.offsets(name, 'earliest'), client.offsets(name, 'latest')]);
      rows.push({ topic: name, partitions: ends.size, records: between(starts, ends) });
    }
    if (rows.length === 0) context.output.say('there are no topics');
    await writeRows(context.output, rows, ['topic', 'partitions', 'records'], flags.json === true);
  });
}

async function describe(context: Context, topic: string, flags: Flags): Promise<void> {
  await withClient(context, flags, async (client) => {
    const { config } = await existing(client, topic);
    const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
    const rows = [...ends].map(([partition, end]) => {
      const start = starts.get(partition) ?? 0;
      return { topic, partition, start, end, offsets: end - start };
    });
    context.output.say(
      Object.entries(config)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(' '),
    );
    await writeRows(context.output, rows, ['partition', 'start', 'end', 'offsets'], flags.json === true);
  });
}

async function remove(context: Context, topic: string, flags: Flags & { yes?: boolean }): Promise<void> {
  await withClient(context, flags, async (client) => {
    await existing(client, topic);
    const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
    const what = `topic ${topic}: ${counted(ends.size, 'partition')}, ${counted(between(starts, ends), 'offset')}`;
    for (const user of await usersOf(client, topic)) context.output.say(`warning: ${user}`);
    if (flags.yes !== true) {
      context.output.say(`${what} would be deleted; add --yes to delete it`);
      return;
    }
    await client.topics.delete(topic);
    context.output.say(`${what} were deleted`);
  });
}

/** Describes the users of a topic. */
async function usersOf(client: Client, topic: string): Promise<string[]> {
  const users: string[] = [];
  for (const name of await client.groups.list()) {
    const group = await client.groups.describe(name);
    if (group?.offsets.some((offset) => offset.topic === topic) !== true) continue;
    users.push(`application or group ${name} ${group.active ? 'reads it now' : 'has read it'}`);
  }
  return users;
}

const between = (starts: ReadonlyMap<number, number>, ends: ReadonlyMap<number, number>): number =>
  [...ends].reduce((sum, [partition, end]) => sum + end - (starts.get(partition) ?? 0), 0);

function configOf(given: readonly (readonly [name: string, value: string])[]): TopicConfig {
  const config: Record<string, string | number> = {};
  for (const [name, value] of given) {
    if (!SETTINGS.some((each) => each === name)) {
      throw new ConfigError('ERR_OPTION', `--config: topics have no setting ${name}`, {
        hint: meant(name, SETTINGS),
      });
    }
    if (Object.hasOwn(config, name)) {
      throw new ConfigError('ERR_OPTION', `--config: ${name} is given twice`, { hint: 'leave one of them out' });
    }
    config[name] = /^-?\d+$/.test(value) ? Number(value) : value;
  }
  return config;
}
