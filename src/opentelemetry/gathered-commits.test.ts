import { expect, it } from 'vitest';
import type { CommitEvent } from '../runtime/app/channels.ts';
import type { TracedRecord } from '../runtime/task/traced-records.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { type GatheredCommit, GatheredCommits } from './gathered-commits.ts';

const traced = (offset: number): TracedRecord => ({
  topic: 'clicks',
  partition: 0,
  offset,
  traceparent: `t${offset}`,
  tracestate: undefined,
});

function commitAt(at: number, event: Partial<CommitEvent> = {}): CommitEvent {
  const given = { applicationId: 'app', kind: 'memory', recordToCommitMs: [], error: undefined, durationMs: 2 };
  return { ...given, topics: ['clicks'], records: 10, startedAt: at - 5, committingAt: at, traced: [], ...event };
}

function gathering() {
  const clock = new VirtualClock(1000);
  const handed: GatheredCommit[] = [];
  const commits = new GatheredCommits((commit) => void handed.push(commit), clock);
  return { clock, commits, handed };
}

it('hands slow commits over at once, each by itself', () => {
  const { commits, handed } = gathering();
  for (const at of [1000, 1250, 5000]) commits.add(commitAt(at));
  expect(handed).toMatchObject([1000, 1250, 5000].map((committingAt) => ({ committingAt, commits: 1, records: 10 })));
});

it('hands fast commits over together, with all of their records and traces, the first at once', () => {
  const { clock, commits, handed } = gathering();
  for (let n = 0; n < 5; n += 1) commits.add(commitAt(1000 + 20 * n, { traced: [traced(n)] }));
  expect(handed).toMatchObject([{ committingAt: 1000, commits: 1, traced: [traced(0)] }]);
  clock.advance(250);
  expect(handed.slice(1)).toMatchObject([
    { startedAt: 1015, committingAt: 1080, durationMs: 2, records: 40, commits: 4, traced: [1, 2, 3, 4].map(traced) },
  ]);
  clock.advance(1000);
  expect(handed).toHaveLength(2);
});

it('keeps as many traces as a span has links, of early and late ones', () => {
  const { clock, commits, handed } = gathering();
  for (let n = 0; n < 100; n += 1) {
    commits.add(commitAt(1000 + n, { traced: [0, 1, 2, 3].map((each) => traced(4 * n + each)) }));
  }
  clock.advance(250);
  const [, { traced: kept }] = handed as [GatheredCommit, GatheredCommit];
  expect(kept).toHaveLength(128);
  expect(new Set(kept.map(({ offset }) => offset)).size).toBe(128);
  expect(kept.at(-1)?.offset).toBeGreaterThan(380);
  commits.add(commitAt(5000, { traced: Array.from({ length: 129 }, (_, n) => traced(n)) }));
  expect(handed.at(-1)?.traced).toHaveLength(128);
});

it('counts each record once, whatever the pace', () => {
  const { clock, commits, handed } = gathering();
  for (let n = 0; n < 500; n += 1) {
    commits.add(commitAt(clock.now(), { records: n }));
    clock.advance((n * 7) % 90);
  }
  commits.flush();
  commits.flush();
  expect(handed.reduce((sum, { records }) => sum + records, 0)).toBe((499 * 500) / 2);
  expect(handed.reduce((sum, each) => sum + each.commits, 0)).toBe(499);
  expect(handed.length).toBeLessThan(120);
});

it('never holds a failure, nor mixes it with what went well', () => {
  const { commits, handed } = gathering();
  commits.add(commitAt(1000));
  commits.add(commitAt(1010));
  commits.add(commitAt(1020, { error: new Error('no'), records: 0 }));
  expect(handed.map(({ committingAt, commits: count, error }) => [committingAt, count, error !== undefined])).toEqual([
    [1000, 1, false],
    [1010, 1, false],
    [1020, 1, true],
  ]);
});

it('keeps the topics apart', () => {
  const { clock, commits, handed } = gathering();
  for (let n = 0; n < 4; n += 1) {
    commits.add(commitAt(1000 + n));
    commits.add(commitAt(1000 + n, { topics: ['buys'] }));
  }
  clock.advance(250);
  expect(handed.map(({ commits: count, topics }) => [...topics, count])).toEqual([
    ['clicks', 1],
    ['buys', 1],
    ['clicks', 3],
    ['buys', 3],
  ]);
});

it('tells nothing of a commit that has read nothing', () => {
  const { commits, handed } = gathering();
  commits.add(commitAt(1000, { records: 0 }));
  commits.flush();
  expect(handed).toEqual([]);
});
