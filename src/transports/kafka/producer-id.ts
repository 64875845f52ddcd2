import type { Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';
import { retrying } from './retry.ts';
import { initProducerIdApi, type ProducerIdentity } from './wire/transactions.ts';

/**
 * Requests a producer id. With a transactional id this ends its open transaction, waits for that, and fences earlier
 * producers with the same id.
 */
export async function newProducerId(
  cluster: Cluster,
  transactionalId: string | null,
  signal: AbortSignal = cluster.signal,
  limitMs: number = cluster.settings.requestTimeoutMs,
): Promise<ProducerIdentity> {
  const { transactionTimeoutMs } = cluster.settings;
  const doing = transactionalId === null ? 'get a producer id' : `begin transactions as "${transactionalId}"`;
  const timeoutMs = transactionalId === null ? 2 ** 31 - 1 : transactionTimeoutMs;
  return retrying(cluster.machine, { doing, limitMs, firstPauseMs: 5, signal }, async () => {
    try {
      const query = { transactionalId, timeoutMs };
      const { errorCode, producerId, producerEpoch } =
        transactionalId === null
          ? await cluster.ask(initProducerIdApi, query)
          : await cluster.request(
              await cluster.coordinator('transaction', transactionalId),
              'main',
              initProducerIdApi,
              query,
            );
      if (errorCode !== 0) throw kafkaError(errorCode, doing, transactionalId ?? '');
      return { producerId, producerEpoch };
    } catch (error) {
      if (transactionalId !== null) cluster.forgetCoordinator('transaction', transactionalId, error);
      throw error;
    }
  });
}
