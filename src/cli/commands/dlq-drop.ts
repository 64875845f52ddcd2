import { type Client, ConfigError } from '../../index.ts';
import { recordsBetween } from '../../letters/read-letters.ts';
import { forgetReplayed } from '../../letters/replayed-letters.ts';
import { letterOf } from '../../log/read-letter.ts';
import { counted } from '../../options/counted.ts';
import type { Context } from '../context.ts';
import { lastRecords } from '../last-records.ts';
import { parseRange } from '../offsets.ts';
import { writeRows } from '../output.ts';
import { boundsOf } from '../range-offsets.ts';
import { existing } from '../topic-names.ts';

export interface DropFlags {
  readonly before?: string;
  readonly execute?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `millrace dlq drop` */
export async function drop(context: Context, client: Client, topic: string, flags: DropFlags): Promise<void> {
  const { output, signal } = context;
  await existing(client, topic);
  await refuseOthers(context, client, topic);
  const { from: before } = await boundsOf(client, topic, parseRange([flags.before ?? 'end'], context.now()));
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  const rows = [...before].map(([partition, offset]) => {
    const start = starts.get(partition) ?? 0;
    const end = ends.get(partition) ?? 0;
    return { partition, start, before: Math.max(start, Math.min(offset, end)), letters: 0, isAll: offset >= end };
  });
  // Offsets do not give the number of letters: transaction markers take offsets, and compaction and transactions leave
  // gaps.
  let others = 0;
  const until = new Map(rows.map((row) => [row.partition, row.before]));
  for await (const record of recordsBetween(client, topic, { from: starts, until, signal })) {
    const row = letterOf(record) && rows.find(({ partition }) => partition === record.partition);
    if (row === undefined) others += 1;
    else row.letters += 1;
  }
  await writeRows(
    output,
    rows.map(({ isAll: _, ...row }) => row),
    ['partition', 'start', 'before', 'letters'],
    flags.json === true,
  );
  const letters = rows.reduce((sum, row) => sum + row.letters, 0);
  const what = `${counted(letters, 'letter')}${others > 0 ? ` and ${counted(others, 'other record')}` : ''} of ${topic}`;
  if (flags.execute !== true && flags.yes !== true) {
    output.say(`${what} would be removed; add --execute to do it`);
    return;
  }
  await client.topics.deleteRecords(
    topic,
    rows.filter((row) => row.before > row.start).map((row) => ({ partition: row.partition, offset: row.before })),
  );
  if (rows.every(({ isAll }) => isAll)) await forgetReplayed(client, topic);
  output.say(`${what} removed`);
}

/** Protects topics with other records from being emptied by mistake. */
async function refuseOthers({ signal }: Context, client: Client, topic: string): Promise<void> {
  const last = await lastRecords(client, topic, signal);
  if (last.length === 0 || last.some((record) => letterOf(record) !== undefined)) return;
  throw new ConfigError('ERR_OPTION', `the last records of ${topic} are not dead letters`, {
    hint: 'millrace dlq ls lists the topics that hold dead letters',
  });
}
