import type { Cluster } from './cluster.ts';
import { listTransactionsApi } from './wire/list-transactions.ts';

/** All members wait for the answers. */
const PATIENCE_MS = 2000;
/** What `randomUUID` gives. */
const RANDOM_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Transactional ids of members of a group with an open transaction, as the brokers know them. Ids of members with a name of their own
 * are not among them: these come back under it, and end what they have left open. Brokers that are away, or do not know the request (before
 * Kafka 3.0), tell nothing: then a transaction expires.
 */
export async function openTransactions(cluster: Cluster, groupId: string): Promise<readonly string[]> {
  const query = { states: ['Ongoing'] };
  const answers = await Promise.allSettled(
    cluster.nodeIds.map((node) => cluster.request(node, 'main', listTransactionsApi, query, PATIENCE_MS)),
  );
  const ids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.transactionalIds : []));
  // The name of another group may begin with that of this one.
  const prefix = `${groupId}-`;
  return ids.filter((id) => id.startsWith(prefix) && RANDOM_NAME.test(id.slice(prefix.length)));
}
