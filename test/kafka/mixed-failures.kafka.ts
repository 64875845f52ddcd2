import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { ownCluster } from './cluster.ts';
import { breakEverything } from './mixed-faults.ts';
import { expectExactlyOnce } from './pipeline-faults.ts';

/** How long; `MILLRACE_FAULT_MINUTES=120` is the long run whose figures are in docs/kafka.md. */
const MINUTES = Number(process.env['MILLRACE_FAULT_MINUTES'] ?? 5);

describe.runIf(ownCluster)('everything at once, on three brokers', () => {
  let nodes: KafkaCluster;

  beforeAll(async () => {
    nodes = await KafkaCluster.start({ folder: await mkdtemp(join(tmpdir(), 'millrace-kafka-mixed-')), nodes: 3 });
  });
  afterAll(() => nodes.remove());

  it('loses nothing, and counts once what is to be counted once', { timeout: (MINUTES + 10) * 60_000 }, async () => {
    const { atLeastOnce, exactlyOnce, marks } = await breakEverything(nodes, MINUTES);
    expectExactlyOnce(exactlyOnce);
    expect(atLeastOnce.lost).toEqual([]);
    expect(marks.missing).toEqual([]);
  });
});
