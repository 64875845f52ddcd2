import type { Command } from 'commander';
import { type Client, ConfigError, type GroupDescription, type PartitionOffsets } from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { partitions } from '../flags.ts';
import { committedIn, known } from '../known-groups.ts';
import type { LocationFlags } from '../location.ts';
import type { Range } from '../offsets.ts';
import { type Output, writeRows } from '../output.ts';
import { onePlace, type PlaceFlags, placeFlags, placeOf } from '../places.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing } from '../topic-names.ts';

interface ResetFlags extends LocationFlags, PlaceFlags {
  readonly json?: boolean;
  readonly partition?: readonly number[];
  readonly export?: boolean;
  readonly dryRun?: boolean;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly force?: boolean;
}

const RESET_HELP = `
Without a topic, all topics are moved that the group has committed offsets for. --to takes the places of consume -o. The other
options are those of Kafka's own tools: where a partition does not reach that far, they stop at its first or last offset.
--export prints the new offsets in the format that --from-file reads.

  millrace groups reset billing orders --to @-1h
  millrace groups reset billing --shift-by -100 --execute
  millrace groups reset billing --to-earliest --export > offsets.csv

Moving an application with state is refused: moved back, it would count records
twice, so it does not start; moved forward, its stores miss the records in between. To process records again, run it
under another applicationId. --force moves it all the same, for example when one of its errors says where to begin. It also
sets the offsets of a group that does not exist yet.`;

/** `millrace groups reset GROUP` */
export function groupsResetCommand(groups: Command, context: Context): void {
  const moving = onLog(
    groups,
    'reset',
    'move the offsets of a group without members; only shows the change unless --execute is given',
  )
    .argument('<group>')
    .argument('[topic...]');
  placeFlags(moving)
    .option('-p, --partition <n>', 'only this partition; several with commas, or repeated', partitions)
    .option('--export', 'print the new offsets as topic,partition,offset')
    .option('--dry-run', 'only show what would be done (the default)')
    .option('--execute', 'make the change')
    .option('-y, --yes', 'as --execute')
    .option('--force', 'also move an application with state, or a group that does not exist yet')
    .option('--json', 'one JSON object per line')
    .addHelpText('after', RESET_HELP)
    .action((group: string, topics: readonly string[], flags: ResetFlags) => reset(context, group, topics, flags));
}

/** Determines the new offsets of a topic. */
type Wanted = (client: Client, topic: string, committed: PartitionOffsets) => Promise<PartitionOffsets | undefined>;

/** @throws ConfigError `ERR_OPTION` */
function wantedOf(
  context: Context,
  flags: ResetFlags,
): { readonly place: Wanted; readonly topics?: readonly string[] } {
  const place = placeOf(flags);
  if (flags.to === undefined) {
    if (place === undefined) {
      throw new ConfigError('ERR_OPTION', 'nothing says where the group is to go', {
        hint: 'give --to PLACE, --to-earliest, --to-latest, --to-offset, --to-datetime, --by-duration, --shift-by or --from-file',
      });
    }
    return {
      place: async (client, topic, committed) => {
        const to = await place(client, topic, committed, context);
        return to === undefined ? undefined : only(topic, to, flags, await client.offsets(topic, 'latest'));
      },
      ...(place.topics === undefined ? {} : { topics: place.topics }),
    };
  }
  const range = onePlace(flags.to, context.now());
  return { place: (client, topic) => places(client, topic, range, flags) };
}

async function reset(context: Context, group: string, named: readonly string[], flags: ResetFlags): Promise<void> {
  const { output } = context;
  const execute = flags.execute === true || flags.yes === true;
  if (execute && flags.dryRun === true) {
    throw new ConfigError('ERR_OPTION', '--dry-run and --execute are both given', { hint: 'leave one of them out' });
  }
  const wanted = wantedOf(context, flags);
  await withClient(context, flags, async (client) => {
    for (const topic of named) await existing(client, topic);
    const found = flags.force === true ? await client.groups.describe(group) : await known(client, group);
    const changes = await changesOf(client, found, named.length > 0 ? named : wanted.topics, wanted.place);
    const moving = changes.filter(({ moves }) => moves.size > 0);
    // An objection is raised before the change is shown and before anything is done.
    const objection = found === undefined ? undefined : objectionTo(found, moving);
    if (objection !== undefined && execute && (flags.force !== true || found?.active === true)) throw objection;
    if (objection !== undefined) output.say(`warning: ${objection.message}`);
    if (execute) for (const { moves, topic } of moving) await client.setCommitted(group, topic, moves);
    await showChanges(output, changes, flags);
    output.say(`group ${group} ${told(moving.length, execute)}`);
  });
}

/** The change of a topic's offsets. */
interface Change {
  readonly topic: string;
  readonly committed: PartitionOffsets;
  readonly to: PartitionOffsets;
  /** The offsets that differ from the committed ones. */
  readonly moves: PartitionOffsets;
}

async function changesOf(
  client: Client,
  found: GroupDescription | undefined,
  named: readonly string[] | undefined,
  place: Wanted,
): Promise<Change[]> {
  const offsets = found?.offsets ?? [];
  const topics = named ?? [...new Set(offsets.map(({ topic }) => topic))].sort();
  if (topics.length === 0) {
    throw new ConfigError('ERR_OPTION', 'nothing says which topics are to be moved', { hint: 'name a topic' });
  }
  const changes: Change[] = [];
  for (const topic of topics) {
    // Kafka keeps the offsets of a deleted topic for a while.
    if (named === undefined && (await client.topics.describe(topic)) === undefined) continue;
    await existing(client, topic);
    const committed = committedIn(topic, offsets);
    const to = await place(client, topic, committed);
    if (to === undefined) continue;
    const moves = new Map([...to].filter(([partition, offset]) => committed.get(partition) !== offset));
    changes.push({ topic, committed, to, moves });
  }
  return changes;
}

async function showChanges(output: Output, changes: readonly Change[], flags: ResetFlags): Promise<void> {
  const rows = changes.flatMap(({ committed, to, topic }) =>
    [...to].map(([partition, offset]) => ({
      topic,
      partition,
      committed: committed.get(partition) ?? null,
      new: offset,
    })),
  );
  if (flags.export === true) {
    for (const row of rows) await output.data(`${row.topic},${row.partition},${row.new}\n`);
    return;
  }
  await writeRows(output, rows, ['topic', 'partition', 'committed', 'new'], flags.json === true);
}

function told(moves: number, done: boolean): string {
  if (moves === 0) return 'is already there';
  return done ? 'moved' : 'would be moved; add --execute to do it';
}

/** The offsets of the partitions to move. @throws ConfigError `ERR_UNKNOWN_PARTITION` */
function only(topic: string, offsets: PartitionOffsets, flags: ResetFlags, ends: PartitionOffsets): PartitionOffsets {
  const wanted = flags.partition ?? [...offsets.keys()];
  for (const partition of wanted) {
    if (ends.has(partition)) continue;
    throw new ConfigError('ERR_UNKNOWN_PARTITION', `topic ${topic} has no partition ${partition}`, {
      topic,
      hint: ends.size === 1 ? 'it has only partition 0' : `it has partitions 0 to ${ends.size - 1}`,
    });
  }
  return new Map([...offsets].filter(([partition]) => wanted.includes(partition)));
}

/** The offsets of a place, for the partitions to move. @throws ConfigError */
async function places(client: Client, topic: string, range: Range, flags: ResetFlags): Promise<PartitionOffsets> {
  const [{ from }, ends] = [await boundsOf(client, topic, range), await client.offsets(topic, 'latest')];
  const to = only(topic, from, flags, ends);
  for (const [partition, offset] of to) {
    const end = ends.get(partition) ?? 0;
    if (offset <= end) continue;
    throw new ConfigError('ERR_OPTION', `--to is ${flags.to}, and partition ${partition} of ${topic} ends at ${end}`, {
      hint: `give at most ${end}, or end; use --partition to move only some partitions`,
    });
  }
  return to;
}

/** The reason not to move a group, if there is one. */
function objectionTo({ active, name, stores }: GroupDescription, moving: readonly Change[]): ConfigError | undefined {
  if (moving.length === 0) return undefined;
  if (active) {
    return new ConfigError('ERR_GROUP_ACTIVE', `group ${name} is in use, so it cannot be moved`, {
      hint: 'stop its members first',
    });
  }
  if (stores.length === 0) return undefined;
  const back = moving.some(({ committed, moves }) =>
    [...moves].some(([partition, offset]) => offset < (committed.get(partition) ?? 0)),
  );
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
