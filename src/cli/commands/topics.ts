import { Command, InvalidArgumentError } from 'commander';
import { type Client, FatalError, type TopicConfig, type TopicDescription } from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import type { LocationFlags } from '../location.ts';
import { writeRows } from '../output.ts';

interface Flags extends LocationFlags {
  readonly json?: boolean;
}

interface ConfigFlags extends Flags {
  readonly config?: readonly string[];
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
    .option('-c, --config <name=value...>', CONFIG_HELP)
    .option('--if-not-exists', 'do nothing when the topic is there')
    .action((topic: string, flags: ConfigFlags & { partitions: number; ifNotExists?: boolean }) =>
      withClient(context, flags, async (client) => {
        const config = configOf(flags.config ?? []);
        const { ifNotExists = false, partitions } = flags;
        await client.topics.create(topic, { partitions, config, ifMissing: ifNotExists });
        context.output.say(
          `topic ${topic} is there, with ${(await client.topics.describe(topic))?.partitions} partitions`,
        );
      }),
    );
  onLog(topics, 'configure', 'change the configuration or raise the number of partitions of a topic')
    .argument('<topic>')
    .option('-c, --config <name=value...>', CONFIG_HELP)
    .option('-p, --partitions <n>', 'new, higher number of partitions: keys move between partitions', whole)
    .action((topic: string, flags: ConfigFlags & { partitions?: number }) =>
      withClient(context, flags, async (client) => {
        await existing(client, topic);
        if (flags.config !== undefined) await client.topics.configure(topic, configOf(flags.config));
        if (flags.partitions !== undefined) await client.topics.addPartitions(topic, flags.partitions);
      }),
    );
  onLog(topics, 'release', 'take a topic from the application that writes and reads it, for another one')
    .argument('<topic>')
    .action((topic: string, flags: Flags) =>
      withClient(context, flags, async (client) => {
        await existing(client, topic);
        await client.topics.release(topic);
        context.output.say(`topic ${topic} belongs to no application; the next one that writes and reads it owns it`);
      }),
    );
  onLog(topics, 'delete', 'delete a topic with its records; shows what would go unless --yes is given')
    .argument('<topic>')
    .option('-y, --yes', 'delete it')
    .action((topic: string, flags: Flags & { yes?: boolean }) => remove(context, topic, flags));
  return topics;
}

const CONFIG_HELP = 'cleanup, retentionMs, retentionBytes, maxMessageBytes, such as cleanup=compact';

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
    const what = `topic ${topic}: ${ends.size} partitions, ${between(starts, ends)} offsets`;
    if (flags.yes !== true) {
      context.output.say(`${what} would be deleted; add --yes to delete it`);
      return;
    }
    await client.topics.delete(topic);
    context.output.say(`${what} deleted`);
  });
}

/** @throws FatalError `ERR_UNKNOWN_TOPIC` with the names that there are */
export async function existing(client: Client, topic: string): Promise<TopicDescription> {
  const description = await client.topics.describe(topic);
  if (description !== undefined) return description;
  const names = await client.topics.list();
  throw new FatalError('ERR_UNKNOWN_TOPIC', `there is no topic ${topic}`, {
    topic,
    hint: names.length === 0 ? 'there are none: is it another folder?' : `there are ${names.slice(0, 20).join(', ')}`,
  });
}

const between = (starts: ReadonlyMap<number, number>, ends: ReadonlyMap<number, number>): number =>
  [...ends].reduce((sum, [partition, end]) => sum + end - (starts.get(partition) ?? 0), 0);

function configOf(pairs: readonly string[]): TopicConfig {
  const config: Record<string, string | number> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new InvalidArgumentError(`${pair} is not name=value`);
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    config[name] = /^-?\d+$/.test(value) ? Number(value) : value;
  }
  return config;
}

/** A whole number from 1 on, for flags. */
export function whole(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('a whole number from 1 on is needed.');
}
