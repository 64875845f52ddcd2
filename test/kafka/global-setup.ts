import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { whyNoKafka } from '../../scripts/kafka/java.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Addresses of the broker that the tests share. */
    readonly brokers: readonly string[];
    /** Folder of the cluster that was started for the tests; empty when a foreign one is used. */
    readonly clusterFolder: string;
  }
}

let cluster: KafkaCluster | undefined;

/** Starts one broker for all tests, or takes the one that `KAFKA_BROKERS` names. */
export async function setup(project: TestProject): Promise<void> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    project.provide('brokers', given.split(','));
    project.provide('clusterFolder', '');
    return;
  }
  const reason = await whyNoKafka();
  if (reason !== undefined) throw new Error(`The Kafka tests cannot run: ${reason}. Or set KAFKA_BROKERS.`);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-'));
  cluster = await KafkaCluster.start({ folder });
  project.provide('brokers', cluster.brokers);
  project.provide('clusterFolder', folder);
}

export async function teardown(): Promise<void> {
  if (cluster === undefined) return;
  // Tests may have restarted it, so that the file of the cluster knows its processes better.
  await ((await KafkaCluster.find(cluster.folder)) ?? cluster).remove();
}
