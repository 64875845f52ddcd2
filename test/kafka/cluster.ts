import { inject } from 'vitest';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';

/** Whether the cluster was started for the tests, so that it may be broken by them. */
export const ownCluster: boolean = inject('clusterFolder') !== '';

/** The cluster that was started for the tests. */
export async function cluster(): Promise<KafkaCluster> {
  const found = await KafkaCluster.find(inject('clusterFolder'));
  if (found === undefined) throw new Error('this test needs the cluster that is started for the tests');
  return found;
}
