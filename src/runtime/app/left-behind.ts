import type { Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { CommittedOffset, Transport } from '../../log/transport.ts';
import { counted } from '../../options/counted.ts';
import type { Topology } from '../../plan/topology.ts';
import { isAnnouncement } from '../../protocol/time-announcement.ts';
import { ownerMark } from './own-topics.ts';

/** How long a start spends on this check, in ms: partitions that were not checked count as having records. */
const PATIENCE_MS = 5000;

/** A partition of a topic that no step reads any more. */
interface Rest {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly end: number;
}

/**
 * Warns about the application's own topics with unread records that no step reads any more: the pipeline was changed
 * before the stage after such a topic had read everything. Nothing else would report them.
 */
export async function warnOfLeftBehind(
  { stages }: Pick<Topology, 'stages'>,
  transport: Transport,
  applicationId: string,
  logger: Logger,
  clock: Clock,
): Promise<void> {
  try {
    const read = new Set(stages.flatMap(({ inputs }) => inputs.map(({ name }) => name)));
    // A start must not wait for a transaction that a crash has left open.
    const group = await transport.describeGroup(applicationId, false);
    const offsets = group?.offsets.filter(({ topic }) => !read.has(topic)) ?? [];
    if (offsets.length === 0) return;
    const unread = await firstUnread(transport, await restsOf(offsets, transport, ownerMark(applicationId)), clock);
    for (const topic of new Set(unread.map((rest) => rest.topic))) {
      const rests = unread.filter((rest) => rest.topic === topic);
      const records = rests.reduce((sum, { end, from }) => sum + end - from, 0);
      const places = rests.map(({ from, partition }) => `${topic}/${partition} from ${from} on`).join(', ');
      logger.warn(
        { applicationId, topic, records },
        `the application has written up to ${counted(records, 'record')} to ${topic} that it has not read, and no step reads them any ` +
          `more (${places}): run the pipeline that did until they are read, or delete the topic`,
      );
    }
  } catch (error) {
    // Missing permissions for this check must not prevent a start.
    if (!(error instanceof MillraceError)) throw error;
    logger.debug(
      { applicationId, code: error.code },
      'could not check whether topics have records that no step reads any more',
    );
  }
}

/** The records after the committed offsets of topics with the application's mark. */
async function restsOf(
  offsets: readonly CommittedOffset[],
  transport: Transport,
  mark: string,
): Promise<readonly Rest[]> {
  const rests: Rest[] = [];
  const topics = await transport.topics.describeAll([...new Set(offsets.map(({ topic }) => topic))]);
  for (const { config, name } of topics.values()) {
    if ((config.owner ?? config.claim) !== mark) continue;
    const ends = await transport.offsets(name, 'latest');
    for (const [partition, start] of await transport.offsets(name, 'earliest')) {
      // An offset with the id of a deleted topic does not apply to the topic that has its name now.
      const known = offsets.find((each) => each.topic === name && each.partition === partition);
      const from = known === undefined || known.topicId !== undefined ? start : Math.max(start, known.offset);
      const end = ends.get(partition) ?? 0;
      if (from < end) rests.push({ topic: name, partition, from, end });
    }
  }
  return rests;
}

/** The rests from their first record on, without those that only contain time announcements. */
async function firstUnread(transport: Transport, rests: readonly Rest[], clock: Clock): Promise<readonly Rest[]> {
  const unread: Rest[] = [];
  if (rests.length === 0) return unread;
  let ready: (() => void) | undefined;
  let over = false;
  const cancel = clock.after(PATIENCE_MS, () => {
    over = true;
    ready?.();
  });
  const fetcher = transport.fetcher({ onReady: () => ready?.() });
  try {
    for (const { from, partition, topic } of rests) fetcher.assign(topic, partition, from);
    for (const rest of rests) {
      const { end, partition, topic } = rest;
      for (let { from } = rest; from < end; ) {
        const news = new Promise<void>((resolve) => {
          ready = resolve;
        });
        const batch = fetcher.poll(topic, partition);
        if (batch === undefined) {
          if (over) unread.push({ ...rest, from });
          if (over) break;
          await news;
          continue;
        }
        let at = 0;
        while (at < batch.count && (isAnnouncement(batch, at) || batch.baseOffset + batch.offsetDelta[at]! < from))
          at += 1;
        if (at < batch.count) unread.push({ ...rest, from: batch.baseOffset + batch.offsetDelta[at]! });
        from = at < batch.count ? end : batch.nextOffset;
      }
    }
    return unread;
  } finally {
    cancel();
    await fetcher.close();
  }
}
