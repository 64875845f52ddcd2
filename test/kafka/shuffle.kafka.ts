import { describe, it } from 'vitest';
import { cluster, ownCluster } from './cluster.ts';
import { breakPipeline, expectExactlyOnce } from './pipeline-faults.ts';

/** A few of the faults of `shuffle-failures.kafka.ts`, in short. */
describe.runIf(ownCluster)('a windowed count behind a shuffle, in two processes', () => {
  it('counts each record once, whatever is killed', { timeout: 180_000 }, async () => {
    const rounds = { kills: 2, stops: 1, restarts: 1, crashes: 0 };
    expectExactlyOnce(await breakPipeline(await cluster(), 'exactly-once', rounds));
  });
});
