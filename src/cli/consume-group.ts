import {
  bytes,
  type Client,
  topic as declare,
  FatalError,
  nullable,
  type PartitionOffsets,
  type ReadOptions,
  type Records,
  type StreamRecord,
} from '../index.ts';
import type { Context } from './context.ts';
import type { RawRecord } from './envelope.ts';

type Raw = Uint8Array | null;
/** Records as bytes. */
export type RawRecords = Records<StreamRecord<Raw, Raw>>;

interface MemberFlags {
  readonly group?: string;
  readonly exitOnEnd?: boolean;
  readonly readUncommitted?: boolean;
}

/** The records of a topic as bytes. */
export function rawRecords(client: Client, name: string, options: ReadOptions): RawRecords {
  return client.records(declare(name, { key: nullable(bytes()), value: nullable(bytes()) }), options);
}

/** The isolation level of reads. */
export const isolationOf = ({ readUncommitted }: MemberFlags): 'uncommitted' | 'committed' =>
  readUncommitted === true ? 'uncommitted' : 'committed';

/** How to print incoming records. */
export interface Printing {
  readonly print: (record: RawRecord) => string;
  readonly wanted: (record: RawRecord) => boolean;
  readonly most: number;
}

/**
 * Reads as a member of a group. Printed records are committed, at the latest at the end; records that could not be
 * printed, because the reader of the output is gone, are not.
 *
 * @returns How many records were printed.
 */
export async function consumeAsMember(
  { output, signal }: Context,
  client: Client,
  name: string,
  flags: MemberFlags,
  { most, print, wanted }: Printing,
): Promise<number> {
  const group = flags.group as string;
  const enough = new AbortController();
  const ended = AbortSignal.any([signal, enough.signal]);
  const printed = new Map<number, number>();
  const records = asMember(client, name, flags, group, ended)[Symbol.asyncIterator]();
  let count = 0;
  try {
    for (;;) {
      // Requesting the next record marks the previous one as processed, so that it is committed.
      const next = records.next();
      if (count >= most) {
        enough.abort();
        await next;
        break;
      }
      const { done, value: record } = await next;
      if (done === true) break;
      if (!wanted(record)) continue;
      if (!(await output.deliver(print(record)))) break;
      printed.set(record.partition, record.offset + 1);
      count += 1;
    }
  } catch (error) {
    if (error !== ended.reason) throw error;
  } finally {
    // The last commit.
    await records.return();
  }
  await checkCommitted(client, group, name, printed);
  return count;
}

function asMember(client: Client, name: string, flags: MemberFlags, group: string, signal: AbortSignal): RawRecords {
  return rawRecords(client, name, {
    group,
    from: 'earliest',
    isolation: isolationOf(flags),
    signal,
    ...(flags.exitOnEnd === true ? { until: 'end' } : {}),
  });
}

/** @throws FatalError `ERR_NOT_COMMITTED` if the committed offsets of the group do not cover the printed records */
async function checkCommitted(client: Client, group: string, topic: string, printed: PartitionOffsets): Promise<void> {
  if (printed.size === 0) return;
  const committed = await client.committed(group, topic);
  for (const [partition, offset] of printed) {
    const stands = committed.get(partition) ?? 0;
    if (stands >= offset) continue;
    throw new FatalError('ERR_NOT_COMMITTED', `group ${group} is at ${stands}, but records up to here were printed`, {
      topic,
      partition,
      offset: offset - 1,
      hint: 'the last commit failed: the next member of the group reads these records again',
    });
  }
}
