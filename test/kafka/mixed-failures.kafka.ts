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

/** Changelogs are compacted while they are in use: whoever takes over a task of a long run is not to read all of its past. */
const COMPACTED = {
  'log.segment.bytes': `${4 * 1024 * 1024}`,
  'log.roll.ms': '60000',
  'log.cleaner.min.cleanable.ratio': '0.1',
  'log.cleaner.delete.retention.ms': '60000',
};

describe.runIf(ownCluster)('everything at once, on three brokers', () => {
  let nodes: KafkaCluster;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-mixed-'));
    nodes = await KafkaCluster.start({ folder, nodes: 3, settings: COMPACTED });
  });
  afterAll(() => nodes.remove());

  it('loses nothing, and counts once what is to be counted once', {
    timeout: (MINUTES * 1.2 + 10) * 60_000,
  }, async () => {
    const { atLeastOnce, exactlyOnce, late, marks } = await breakEverything(nodes, MINUTES);
    expectExactlyOnce(exactlyOnce);
    expect(atLeastOnce.lost).toEqual([]);
    expect(marks.missing).toEqual([]);
    expect(late.map((failure) => failure.split('\n', 1)[0])).toEqual([]);
  });
});
