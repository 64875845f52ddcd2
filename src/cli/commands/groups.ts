import { Command } from 'commander';
import type { Client, GroupDescription } from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { ExitError } from '../exit.ts';
import { fromZero } from '../flags.ts';
import { committedIn, known } from '../known-groups.ts';
import type { LocationFlags } from '../location.ts';
import { type Output, writeRows } from '../output.ts';
import { existing } from '../topic-names.ts';
import { groupsResetCommand } from './groups-reset.ts';

interface Flags extends LocationFlags {
  readonly json?: boolean;
}

/** `millrace groups …`: a group is that of `client.records`, or an application by its `applicationId`. */
export function groupsCommand(context: Context): Command {
  const groups = new Command('groups').summary('show and move the offsets of groups and applications');
  onLog(groups, 'ls', 'list groups and applications')
    .alias('list')
    .option('--json', 'one JSON object per line')
    .action((flags: Flags) => list(context, flags));
  onLog(groups, 'describe', 'show the committed offsets and the lag of a group or an application')
    .argument('<group>')
    .argument('[topic...]')
    .option('--json', 'one JSON object per line')
    .action((group: string, topics: readonly string[], flags: Flags) =>
      withClient(context, flags, async (client) => {
        const found = await known(client, group);
        const stores = found.stores.length === 0 ? '' : `; it keeps state in ${found.stores.join(', ')}`;
        context.output.say(`group ${group} ${found.active ? 'is in use' : 'has no members'}${stores}`);
        await show(context.output, await standing(client, found, topics, context.output), flags);
      }),
    );
  groupsResetCommand(groups, context);
  return groups;
}

/** `millrace lag GROUP` */
export function lagCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'lag', 'show how far a group or an application is behind')
    .argument('<group>')
    .argument('[topic...]')
    .option('--json', 'one JSON object per line')
    .option('--max <n>', 'exit with code 3 if the total lag is higher', fromZero)
    .action((group: string, topics: readonly string[], flags: Flags & { max?: number }) =>
      withClient(context, flags, async (client) => {
        const rows = await standing(client, await known(client, group), topics, context.output);
        await show(context.output, rows, flags);
        const lag = rows.reduce((sum, row) => sum + row.lag, 0);
        if (flags.max !== undefined && lag > flags.max)
          throw new ExitError(3, `the lag of ${group} is ${lag}, more than ${flags.max}`);
      }),
    );
}

async function list(context: Context, flags: Flags): Promise<void> {
  await withClient(context, flags, async (client) => {
    const rows = [];
    for (const group of await client.groups.list()) {
      const found = await client.groups.describe(group);
      if (found === undefined) continue;
      const at = await standing(client, found, [], context.output);
      const topics = new Set(at.map(({ topic }) => topic)).size;
      rows.push({ group, active: found.active, topics, lag: at.reduce((sum, { lag }) => sum + lag, 0) });
    }
    if (rows.length === 0) context.output.say('there are no groups');
    await writeRows(context.output, rows, ['group', 'active', 'topics', 'lag'], flags.json === true);
  });
}

const show = (output: Output, rows: readonly Standing[], { json = false }: Flags): Promise<void> =>
  writeRows(output, rows, ['topic', 'partition', 'committed', 'end', 'lag'], json);

interface Standing {
  readonly [name: string]: string | number | null;
  readonly topic: string;
  readonly partition: number;
  readonly committed: number | null;
  readonly end: number;
  readonly lag: number;
}

/** The positions of a group in topics (default: all topics for which it has committed offsets). */
async function standing(
  client: Client,
  { name, offsets }: GroupDescription,
  named: readonly string[],
  output: Output,
): Promise<Standing[]> {
  for (const topic of named) await existing(client, topic);
  const topics = named.length > 0 ? named : [...new Set(offsets.map(({ topic }) => topic))].sort();
  if (topics.length === 0) output.say(`group ${name} has no committed offsets`);
  const rows: Standing[] = [];
  for (const topic of topics) {
    const committed = committedIn(topic, offsets);
    // Kafka keeps the offsets of a deleted topic for a while.
    if (named.length === 0 && (await client.topics.describe(topic)) === undefined) continue;
    if (committed.size === 0) output.say(`group ${name} has no committed offsets of ${topic}`);
    const [ends, lags] = await Promise.all([client.offsets(topic, 'latest'), client.lag(name, topic)]);
    for (const [partition, end] of ends) {
      const at = committed.get(partition) ?? null;
      if (at !== null && at > end) output.say(`group ${name} is beyond the end of ${topic}/${partition}`);
      rows.push({ topic, partition, committed: at, end, lag: lags.get(partition) ?? 0 });
    }
  }
  return rows;
}
