import { soon } from '../../dataflow/soon.ts';
import { TOMBSTONE_MS } from '../../options/topic-config.ts';
import { compressionOf, decodeBatch } from '../../protocol/batch-decoder.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { NewestByKey } from '../local/compaction.ts';
import { compactTo, retainFrom, type StoredBatchInfo } from '../local/retention.ts';
import type { StoredTopic } from './catalog.ts';
import type { EmbeddedLog } from './embedded-log.ts';
import { filterBatch } from './filter-batch.ts';
import { dropRemoved, FREES_SPACE, moveStart } from './topic-admin.ts';

const WRITE_BYTES = 4096;
/** Fraction of a partition that must be new before it is compacted again, because compaction reads all of it. */
const DIRTY_SHARE = 0.5;
/** How many bytes are read or rewritten before the event loop gets a turn. */
const TURN_BYTES = 4 * 1024 * 1024;

export interface MaintenanceOptions {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Also compacts where little has changed (default: false). */
  readonly force?: boolean;
  /** Ends the work early when it returns true. */
  readonly stopped?: () => boolean;
}

/** Removes expired records, and older records of the same key from compacted topics. */
export async function maintain(log: EmbeddedLog, options: MaintenanceOptions): Promise<void> {
  // Looked up once: groups only advance, so an older answer is safe.
  let lowest: ReadonlyMap<string, number> | undefined;
  // The map of topics is replaced on changes, never modified.
  for (const topic of log.catalog.topics().values()) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      if (options.stopped?.() === true) return;
      await retain(log, topic, partition, options);
      if (topic.config.cleanup === 'delete') continue;
      lowest ??= log.catalog.lowestCommitted();
      const read = lowest.get(`${topic.name}/${partition}`) ?? Number.POSITIVE_INFINITY;
      await compact(log, topic, partition, read, options);
    }
  }
}

async function retain(
  log: EmbeddedLog,
  topic: StoredTopic,
  partition: number,
  { now }: MaintenanceOptions,
): Promise<void> {
  const state = log.catalog.partition(topic.id, partition);
  const from = retainFrom(log.batches.scan(topic.id, partition, 0), state, topic.config, now);
  if (from > state.start) await log.writer.write(FREES_SPACE, () => moveStart(log, topic, partition, from));
  const first = log.batches.from(topic.id, partition, 0, 1)[0];
  if (first !== undefined && first.nextOffset <= Math.max(from, state.start)) await dropRemoved(log, topic, partition);
}

async function compact(
  log: EmbeddedLog,
  topic: StoredTopic,
  partition: number,
  read: number,
  { now, force = false, stopped }: MaintenanceOptions,
): Promise<void> {
  const { compactedTo } = log.catalog.partition(topic.id, partition);
  const all = [...log.batches.scan(topic.id, partition, 0)];
  const end = compactTo(all, read, topic.config, now);
  const infos = all.filter((info) => info.nextOffset <= end);
  let total = 0;
  let dirty = 0;
  for (const { bytes, baseOffset } of infos) {
    total += bytes;
    if (baseOffset >= compactedTo) dirty += bytes;
  }
  if (total === 0 || (!force && dirty < total * DIRTY_SHARE)) return;

  const turn = turns(stopped);
  const newest = new NewestByKey();
  for (const info of infos) {
    newest.add(await decode(log, topic, partition, info), info.baseOffset);
    if (await turn(info.bytes)) return;
  }
  for (const info of infos) {
    await rewrite(log, topic, partition, info, newest, now);
    if (await turn(info.bytes)) return;
  }
  await log.writer.write(WRITE_BYTES, () => {
    if (isGone(log, topic)) return;
    const state = log.touch(topic, partition);
    state.compactedTo = Math.max(state.compactedTo, end);
  });
}

async function rewrite(
  log: EmbeddedLog,
  topic: StoredTopic,
  partition: number,
  info: StoredBatchInfo,
  newest: NewestByKey,
  now: number,
): Promise<void> {
  const columns = await decode(log, topic, partition, info);
  const kept = newest.survivors(columns, info.baseOffset, info.appendedAt < now - TOMBSTONE_MS);
  if (kept.length === columns.count) return;
  const bytes = log.batches.known(topic.id, partition, info);
  const filtered = kept.length === 0 ? undefined : filterBatch(bytes, kept);
  await log.writer.write(WRITE_BYTES + (filtered?.length ?? 0), () => {
    // Retention or a deletion may have removed it meanwhile.
    if (isGone(log, topic) || log.batches.bytes(topic.id, partition, info.baseOffset) === undefined) return;
    const state = log.touch(topic, partition);
    if (filtered === undefined) log.batches.remove(topic.id, partition, info.baseOffset);
    else log.batches.put(topic.id, partition, info.baseOffset, filtered, { ...info, bytes: filtered.length });
    state.bytes -= info.bytes - (filtered?.length ?? 0);
  });
}

const isGone = (log: EmbeddedLog, topic: StoredTopic): boolean => log.catalog.topics().get(topic.name)?.id !== topic.id;

async function decode(log: EmbeddedLog, topic: StoredTopic, partition: number, info: StoredBatchInfo) {
  const bytes = log.batches.known(topic.id, partition, info);
  await ensureCodec(compressionOf(bytes, 0) ?? 'none');
  return decodeBatch(bytes, 0, { topic: topic.name, partition, maxOutputBytes: 1024 * 1024 * 1024 });
}

/** Yields from time to time. @returns whether to stop. */
function turns(stopped?: () => boolean): (bytes: number) => Promise<boolean> {
  let since = 0;
  return async (bytes) => {
    since += bytes;
    if (since >= TURN_BYTES) {
      since = 0;
      await new Promise<void>((resolve) => soon(resolve));
    }
    return stopped?.() === true;
  };
}
