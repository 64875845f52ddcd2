import { Command, InvalidArgumentError } from 'commander';
import {
  type Client,
  ConfigError,
  FatalError,
  type GroupDescription,
  type PartitionOffsets,
  type TopicPartition,
} from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { ExitError } from '../exit.ts';
import { partitions } from '../flags.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange, type Range } from '../offsets.ts';
import { type Output, writeRows } from '../output.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing, meant } from '../topic-names.ts';

interface Flags extends LocationFlags {
  readonly json?: boolean;
}

interface ResetFlags extends Flags {
  readonly to: string;
  readonly partition?: readonly number[];
  readonly execute?: boolean;
  readonly force?: boolean;
}

const RESET_HELP = `
Offsets beyond the end of a partition are refused. An application that keeps state does not start from an offset before
what its stores hold, since it would take records twice, and lacks in its stores what it is moved past: to process records
again, run it under another applicationId. --force moves it nevertheless, as when an error of it has said where it is to
begin; and a group that there is not yet.`;

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
  onLog(groups, 'reset', 'move the offsets of a group without members; only shows the change unless --execute is given')
    .argument('<group>')
    .argument('<topic>')
    .requiredOption('--to <place>', 'start, end, 100, +100, -100, @2026-01-31T12:00:00Z, @-1h')
    .option('-p, --partition <n>', 'only this partition; several with commas, or repeated', partitions)
    .option('--execute', 'make the change')
    .option('--force', 'also move an application with state, or a group that does not exist yet')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', RESET_HELP)
    .action((group: string, topic: string, flags: ResetFlags) => reset(context, group, topic, flags));
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

function fromZero(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('give a whole number, 0 or more.');
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

/** @throws FatalError `ERR_UNKNOWN_GROUP` with the name that may have been meant */
async function known(client: Client, group: string): Promise<GroupDescription> {
  const found = await client.groups.describe(group);
  if (found !== undefined) return found;
  const names = await client.groups.list();
  throw new FatalError('ERR_UNKNOWN_GROUP', `group ${group} has no committed offsets and no members`, {
    hint: names.length === 0 ? 'there are no groups: is this the right folder or cluster?' : meant(group, names),
  });
}

interface Standing {
  readonly [name: string]: string | number | null;
  readonly topic: string;
  readonly partition: number;
  readonly committed: number | null;
  readonly end: number;
  readonly lag: number;
}

/** Where a group stands in topics; in all of those that it has committed for, unless some are named. */
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
    // Kafka remembers offsets of a topic for a while after it is gone.
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

const committedIn = (
  topic: string,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): PartitionOffsets =>
  new Map(offsets.filter((each) => each.topic === topic).map(({ partition, offset }) => [partition, offset]));

async function reset(context: Context, group: string, topic: string, flags: ResetFlags): Promise<void> {
  const { output } = context;
  const range = parseRange([flags.to], context.now());
  if (range.until !== undefined || range.from.kind === 'stored') {
    throw new ConfigError('ERR_OPTION', `--to is ${flags.to}`, {
      hint: 'give one place, such as start, end, 100 or @-1h',
    });
  }
  await withClient(context, flags, async (client) => {
    await existing(client, topic);
    const found = flags.force === true ? await client.groups.describe(group) : await known(client, group);
    const committed = committedIn(topic, found?.offsets ?? []);
    const to = await places(client, topic, range, flags);
    const rows = [...to].map(([partition, offset]) => ({
      topic,
      partition,
      committed: committed.get(partition) ?? null,
      new: offset,
    }));
    const moves = new Map([...to].filter(([partition, offset]) => committed.get(partition) !== offset));
    // What speaks against it is said before the change is shown, and stops it before anything is done.
    const objection = found === undefined ? undefined : objectionTo(found, committed, moves);
    if (objection !== undefined && flags.execute === true && (flags.force !== true || found?.active === true)) {
      throw objection;
    }
    if (objection !== undefined) output.say(`warning: ${objection.message}`);
    if (flags.execute === true && moves.size > 0) await client.setCommitted(group, topic, moves);
    await writeRows(output, rows, ['topic', 'partition', 'committed', 'new'], flags.json === true);
    output.say(`group ${group} ${told(moves.size, flags.execute === true)}`);
  });
}

function told(moves: number, done: boolean): string {
  if (moves === 0) return 'is already there';
  return done ? 'moved' : 'would be moved; add --execute to do it';
}

/** The offsets that a place means, of the partitions that are to be moved. @throws ConfigError */
async function places(client: Client, topic: string, range: Range, flags: ResetFlags): Promise<PartitionOffsets> {
  const [{ from }, ends] = [await boundsOf(client, topic, range), await client.offsets(topic, 'latest')];
  const wanted = flags.partition ?? [...from.keys()];
  const to = new Map<number, number>();
  for (const partition of wanted) {
    const [offset, end] = [from.get(partition), ends.get(partition)];
    if (offset === undefined || end === undefined) {
      throw new ConfigError('ERR_UNKNOWN_PARTITION', `topic ${topic} has no partition ${partition}`, {
        topic,
        hint: from.size === 1 ? 'it has only partition 0' : `it has partitions 0 to ${from.size - 1}`,
      });
    }
    if (offset > end) {
      throw new ConfigError(
        'ERR_OPTION',
        `--to is ${flags.to}, and partition ${partition} of ${topic} ends at ${end}`,
        {
          hint: `give at most ${end}, or end; use --partition to move only some partitions`,
        },
      );
    }
    to.set(partition, offset);
  }
  return to;
}

/** What speaks against moving a group. */
function objectionTo(
  { active, name, stores }: GroupDescription,
  committed: PartitionOffsets,
  moves: PartitionOffsets,
): ConfigError | undefined {
  if (moves.size === 0) return undefined;
  if (active) {
    return new ConfigError('ERR_GROUP_ACTIVE', `group ${name} is in use, so it cannot be moved`, {
      hint: 'stop its members first',
    });
  }
  if (stores.length === 0) return undefined;
  const back = [...moves].some(([partition, offset]) => offset < (committed.get(partition) ?? 0));
  return new ConfigError(
    'ERR_GROUP_STATEFUL',
    `group ${name} is an application that keeps state in ${stores.join(', ')}`,
    {
      hint: back
        ? 'it refuses to start from an offset that its stores are already past: run it under another applicationId, or add --force if its error says so'
        : 'its stores would miss the records in between: add --force to skip them',
    },
  );
}
