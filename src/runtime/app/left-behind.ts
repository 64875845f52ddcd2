import type { Clock } from '../../dataflow/clock.ts';
import { MillraceError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import type { CommittedOffset, Transport } from '../../log/transport.ts';
import { counted } from '../../options/counted.ts';
import type { Topology } from '../../plan/topology.ts';
import { isAnnouncement } from '../../protocol/time-announcement.ts';
import { ownerMark } from './own-topics.ts';

/** A start waits no longer for what lies there, in ms: what was not looked at counts as records. */
const PATIENCE_MS = 5000;

/** A partition of a topic that nobody reads any more. */
interface Rest {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly end: number;
}

/**
 * Says which topics of the application's own hold records that it has not read and that no step reads any more: the pipeline
 * was changed before the stage behind such a topic had come to its end. Nobody else knows of them.
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
    // A start does not wait for a transaction that a crash has left open.
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
    // Whoever may not look is not kept from running.
    if (!(error instanceof MillraceError)) throw error;
    logger.debug(
      { applicationId, code: error.code },
      'it was not looked up whether topics hold records that nobody reads any more',
    );
  }
}

/** What lies behind the committed offsets, of topics with the application's mark. */
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
      // With the id of a topic that is gone it says nothing of the one that has its name now.
      const known = offsets.find((each) => each.topic === name && each.partition === partition);
      const from = known === undefined || known.topicId !== undefined ? start : Math.max(start, known.offset);
      const end = ends.get(partition) ?? 0;
      if (from < end) rests.push({ topic: name, partition, from, end });
    }
  }
  return rests;
}

/** The rests from their first record on, without those that hold nothing but what tasks say of their time. */
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
