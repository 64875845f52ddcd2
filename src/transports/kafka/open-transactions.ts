import type { Cluster } from './cluster.ts';
import { listTransactionsApi } from './wire/list-transactions.ts';

/** All members wait for the responses, so this is short, in ms. */
const PATIENCE_MS = 2000;
/** The format of `randomUUID`. */
const RANDOM_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Transactional ids of a group's members with open transactions, according to the brokers. Static members are not
 * included: they return under their name and end their open transactions. Brokers that are away or do not support the
 * request (before Kafka 3.0) provide nothing; such a transaction expires.
 */
export async function openTransactions(cluster: Cluster, groupId: string): Promise<readonly string[]> {
  const query = { states: ['Ongoing'] };
  const answers = await Promise.allSettled(
    cluster.nodeIds.map((node) => cluster.request(node, 'main', listTransactionsApi, query, PATIENCE_MS)),
  );
  const ids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.transactionalIds : []));
  // The name of another group may start with that of this one.
  const prefix = `${groupId}-`;
  return ids.filter((id) => id.startsWith(prefix) && RANDOM_NAME.test(id.slice(prefix.length)));
}
