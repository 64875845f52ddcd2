import { expect, it } from 'vitest';
import { Timing } from './timing.ts';

it('counts durations by their limits, each bucket with those below it', () => {
  const timing = new Timing();
  for (const ms of [0.05, 1, 1, 7, 400_000]) timing.add(ms);
  const { buckets, count, maxMs, sumMs } = timing.snapshot();
  expect({ count, sumMs, maxMs }).toEqual({ count: 5, sumMs: 400_009.05, maxMs: 400_000 });
  const upTo = (ms: number) => buckets.find(({ upToMs }) => upToMs === ms)?.count;
  expect([0.1, 0.5, 1, 5, 10, 300_000].map(upTo)).toEqual([1, 1, 3, 3, 4, 4]);
});

it('estimates quantiles within a bucket, and never above the highest value', () => {
  const timing = new Timing();
  expect(timing.snapshot()).toMatchObject({ p50Ms: undefined, p99Ms: undefined });
  for (let ms = 1; ms <= 100; ms += 1) timing.add(ms);
  const { p50Ms, p99Ms } = timing.snapshot();
  expect(p50Ms).toBeCloseTo(50, 0);
  expect(p99Ms).toBeCloseTo(99, 0);
  const one = new Timing();
  one.add(3);
  expect(one.snapshot()).toMatchObject({ p50Ms: 3, p99Ms: 3 });
});

it('takes what lies before zero, from clocks that are ahead, as zero', () => {
  const timing = new Timing();
  timing.add(-500);
  expect(timing.snapshot()).toMatchObject({ count: 1, sumMs: 0, maxMs: 0 });
});
