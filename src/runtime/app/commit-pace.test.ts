import { expect, it } from 'vitest';
import { systemClock } from '../../dataflow/clock.ts';
import { CommitPace, paceOf } from './commit-pace.ts';

const time = { ms: 0 };
const clock = { ...systemClock, monotonic: () => time.ms };
const paceFor = (options: Omit<Parameters<typeof paceOf>[0], 'applicationId'> = {}): CommitPace =>
  new CommitPace(clock, paceOf({ applicationId: 'app', ...options }, true), () => undefined);

/** Times between commits, each of which takes `lastMs`, while there is always more work. */
function intervals(pace: CommitPace, count: number, lastMs = 0): number[] {
  return Array.from({ length: count }, () => {
    pace.note(true);
    const waitMs = pace.waitMs(false, lastMs);
    time.ms += waitMs;
    expect(pace.waitMs(false, lastMs)).toBe(0);
    pace.begun(false);
    return waitMs;
  });
}

it('commits a backlog less and less often, up to once a second', () => {
  expect(intervals(paceFor(), 5)).toEqual([250, 500, 1000, 1000, 1000]);
});

it('commits at once when there is no more work, and then starts again', () => {
  const pace = paceFor();
  intervals(pace, 4);
  pace.note(true);
  expect(pace.waitMs(true, 0)).toBe(0);
  pace.begun(true);
  expect(intervals(pace, 3)).toEqual([250, 500, 1000]);
});

it('keeps to an interval that was chosen, while commits are fast', () => {
  expect(intervals(paceFor({ commitInterval: '100ms' }), 3)).toEqual([100, 100, 100]);
  expect(intervals(paceFor({ commitInterval: '2s' }), 3)).toEqual([2000, 2000, 2000]);
});

it('takes five times as long as a slow commit, up to a second', () => {
  expect(intervals(paceFor({ commitInterval: '100ms' }), 2, 150)).toEqual([750, 750]);
  expect(intervals(paceFor({ commitInterval: '100ms' }), 2, 900)).toEqual([1000, 1000]);
});

it('is not longer on a log that shows outputs before their commit', () => {
  const pace = new CommitPace(clock, paceOf({ applicationId: 'app' }, false), () => undefined);
  expect(intervals(pace, 3)).toEqual([5000, 5000, 5000]);
});
