import { MillraceError } from '../../errors.ts';
import type { Cluster, Lane } from './cluster.ts';
import type { EncodedBatch } from './encode-batches.ts';
import { type ProduceResponse, produceApi } from './wire/produce.ts';

/** Whether outputs may be written: a suspended process may wake up with outputs that must not be written any more. */
export interface Admission {
  readonly open: () => boolean;
  /**
   * Checks with the coordinator. @throws MillraceError if nothing may be written any more; a retriable one while that
   * is unknown
   */
  readonly ask: () => Promise<void>;
}

export interface WriteOptions {
  readonly transactionalId?: string;
  /** Checked before each request, including retries. Without it, everything may be written. */
  readonly admission?: Admission;
}

/**
 * Writes batches, if admitted.
 *
 * @returns The response, or why nothing was sent.
 * @throws MillraceError if the outcome is in doubt
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
