import { MillraceError } from '../../errors.ts';
import type { Cluster, Lane } from './cluster.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { type ProduceResponse, produceApi } from './wire/produce.ts';

/** Whether something may be written: a process that was stopped for a while wakes up with outputs that may not be. */
export interface Admission {
  readonly open: () => boolean;
  /** Finds out. @throws MillraceError when nothing may be written any more; a retriable one while that is not known */
  readonly ask: () => Promise<void>;
}

export interface WriteOptions {
  readonly transactionalId?: string;
  /** Looked at before each request, also when something is written again. Everything may be written unless given. */
  readonly admission?: Admission;
}

/**
 * Writes batches, if that is admitted.
 *
 * @returns The answer, or why nothing was sent.
 * @throws MillraceError when it is in doubt what became of it
 */
export async function sendAdmitted(
  cluster: Cluster,
  leader: number,
  lane: Lane,
  batches: readonly EncodedBatch[],
  { admission, transactionalId }: WriteOptions,
): Promise<ProduceResponse | MillraceError> {
  const query = {
    transactionalId: transactionalId ?? null,
    timeoutMs: cluster.settings.requestTimeoutMs,
    batches: batches.map(({ bytes, partition, topic }) => ({ topic, partition, batch: bytes })),
  };
  try {
    await cluster.reach(leader, lane);
    if (admission?.open() === false) await admission.ask();
  } catch (error) {
    return error as MillraceError;
  }
  try {
    return await cluster.request(leader, lane, produceApi, query, undefined, admission?.open);
  } catch (error) {
    if (error instanceof MillraceError && error.written === 'no') return error;
    throw error;
  }
}
