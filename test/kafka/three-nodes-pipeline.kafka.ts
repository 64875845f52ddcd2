import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { ownCluster } from './cluster.ts';
import { breakNodes, expectExactlyOnce } from './pipeline-faults.ts';

describe.runIf(ownCluster)('a windowed count behind a shuffle, on three brokers of which one is killed', () => {
  let nodes: KafkaCluster;

  beforeAll(async () => {
    nodes = await KafkaCluster.start({ folder: await mkdtemp(join(tmpdir(), 'millrace-kafka-3-')), nodes: 3 });
  });
  afterAll(() => nodes.remove());

  it('counts each record once, whichever broker it is', { timeout: 3_600_000 }, async () => {
    expectExactlyOnce(await breakNodes(nodes, 5));
  });
});
