import { Command } from 'commander';
import { type Client, ConfigError } from '../../index.ts';
import { type Context, onLog, withClient } from '../context.ts';
import { ExitError } from '../exit.ts';
import type { LocationFlags } from '../location.ts';
import { parseRange } from '../offsets.ts';
import { writeRows } from '../output.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing } from './topics.ts';

interface Flags extends LocationFlags {
  readonly json?: boolean;
}

/** `millrace groups …`: a group is that of `client.records`, or an application by its `applicationId`. */
export function groupsCommand(context: Context): Command {
  const groups = new Command('groups').summary('show where groups and applications stand, and move them');
  onLog(groups, 'describe', 'show the committed offsets and the lag of a group or an application')
    .argument('<group>')
    .argument('[topic...]')
    .option('--json', 'one JSON object per line')
    .action((group: string, topics: readonly string[], flags: Flags) =>
      withClient(context, flags, async (client) => {
        const rows = await standing(client, group, topics);
        if (rows.length === 0) context.output.say(`group ${group} has committed nothing`);
        await writeRows(context.output, rows, COLUMNS, flags.json === true);
      }),
    );
  onLog(groups, 'reset', 'move a group that has no members; shows the change unless --execute is given')
    .argument('<group>')
    .argument('<topic>')
    .requiredOption('--to <place>', 'start, end, 100, +100, -100, @2026-01-31T12:00:00Z, @-1h')
    .option('--execute', 'do it')
    .option('--json', 'one JSON object per line')
    .action((group: string, topic: string, flags: Flags & { to: string; execute?: boolean }) =>
      reset(context, group, topic, flags),
    );
  return groups;
}

/** `millrace lag GROUP` */
export function lagCommand(parent: Command, context: Context): Command {
  return onLog(parent, 'lag', 'show how far a group or an application is behind')
    .argument('<group>')
    .argument('[topic...]')
    .option('--json', 'one JSON object per line')
    .option('--max <n>', 'exit with 3 when the whole lag is higher')
    .action((group: string, topics: readonly string[], flags: Flags & { max?: string }) =>
      withClient(context, flags, async (client) => {
        const most = flags.max === undefined ? undefined : Number(flags.max);
        if (most !== undefined && (!Number.isSafeInteger(most) || most < 0)) {
          throw new ConfigError('ERR_OPTION', `--max is ${flags.max}`, { hint: 'give a whole number from 0 on' });
        }
        const rows = await standing(client, group, topics);
        if (rows.length === 0) context.output.say(`group ${group} has committed nothing`);
        await writeRows(context.output, rows, COLUMNS, flags.json === true);
        const lag = rows.reduce((sum, row) => sum + row.lag, 0);
        if (most !== undefined && lag > most)
          throw new ExitError(3, `the lag of ${group} is ${lag}, more than ${most}`);
      }),
    );
}

const COLUMNS = ['topic', 'partition', 'committed', 'end', 'lag'];

interface Standing {
  readonly [name: string]: string | number | null;
  readonly topic: string;
  readonly partition: number;
  readonly committed: number | null;
  readonly end: number;
  readonly lag: number;
}

/** Where a group stands in topics; in all of those that it has committed for, unless some are named. */
async function standing(client: Client, group: string, topics: readonly string[]): Promise<Standing[]> {
  for (const topic of topics) await existing(client, topic);
  const rows: Standing[] = [];
  for (const topic of topics.length > 0 ? topics : await client.topics.list()) {
    const committed = await client.committed(group, topic);
    if (committed.size === 0 && topics.length === 0) continue;
    const [ends, lags] = await Promise.all([client.offsets(topic, 'latest'), client.lag(group, topic)]);
    for (const [partition, end] of ends) {
      rows.push({ topic, partition, committed: committed.get(partition) ?? null, end, lag: lags.get(partition) ?? 0 });
    }
  }
  return rows;
}

async function reset(
  context: Context,
  group: string,
  topic: string,
  flags: Flags & { to: string; execute?: boolean },
): Promise<void> {
  const range = parseRange([flags.to], context.now());
  if (range.until !== undefined || range.from.kind === 'stored') {
    throw new ConfigError('ERR_OPTION', `--to is ${flags.to}`, {
      hint: 'give one place, such as start, end, 100 or @-1h',
    });
  }
  await withClient(context, flags, async (client) => {
    await existing(client, topic);
    const [{ from }, committed] = [await boundsOf(client, topic, range), await client.committed(group, topic)];
    const rows = [...from].map(([partition, offset]) => ({
      topic,
      partition,
      committed: committed.get(partition) ?? null,
      new: offset,
    }));
    if (flags.execute === true) await client.setCommitted(group, topic, from);
    await writeRows(context.output, rows, ['topic', 'partition', 'committed', 'new'], flags.json === true);
    const told = flags.execute === true ? 'moved' : 'would be moved; add --execute to do it';
    context.output.say(`group ${group} ${told}`);
  });
}
