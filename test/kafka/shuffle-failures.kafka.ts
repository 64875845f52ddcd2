import { describe, expect, it } from 'vitest';
import { cluster, ownCluster } from './cluster.ts';
import { breakPipeline, expectExactlyOnce } from './pipeline-faults.ts';

describe.runIf(ownCluster)('a windowed count behind a shuffle, in two processes', () => {
  it('counts each record once, whatever is killed, stopped or restarted', { timeout: 3_600_000 }, async () => {
    const rounds = { kills: 50, stops: 10, restarts: 5, crashes: 0 };
    expectExactlyOnce(await breakPipeline(await cluster(), 'exactly-once', rounds));
  });

  it('loses nothing at least once', { timeout: 3_600_000 }, async () => {
    const rounds = { kills: 10, stops: 3, restarts: 2, crashes: 3 };
    const { lost } = await breakPipeline(await cluster(), 'at-least-once', rounds);
    expect(lost).toEqual([]);
  });
});
