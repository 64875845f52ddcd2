import { describe, expect, test } from 'vitest';
import { IN_ORDER } from './kafka-simulation.ts';
import { simulate } from './simulation.ts';

describe('a simulated run', () => {
  test.each([
    ['kafka', 3],
    ['kafka', 12],
    ['embedded', 3],
    ['embedded', 12],
    ['memory', 3],
    ['memory', 12],
  ] as const)('on %s is a function of its seed (%i)', async (on, seed) => {
    const lines: string[][] = [[], []];
    const outcomes = [];
    for (const log of lines) outcomes.push(await simulate(seed, { on, log: (line) => log.push(line) }));
    const [one, other] = outcomes;
    expect(other?.hash).toBe(one?.hash);
    expect(lines[1]).toEqual(lines[0]);
    expect(other).toEqual(one);
    expect(one?.problems).toEqual([]);
    expect(one?.events).toBeGreaterThan(10);
  });

  // They fail where a commit under way is taken for the last one of a task that goes to another process.
  test.each([29, 107, 110])(
    'writes nothing twice while processes just come and go, at least once (%i)',
    async (seed) => {
      const outcome = await simulate(seed, { on: 'kafka', keeps: ({ kind }) => IN_ORDER.has(kind) });
      expect(outcome.plan.guarantee).toBe('at-least-once');
      expect(outcome.problems).toEqual([]);
    },
  );

  // It fails where a store does not know since when its task has been this process's.
  test('calls nothing late that a process has written itself (44)', async () => {
    const { counts, problems } = await simulate(44, { on: 'kafka' });
    expect(counts['generations']).toBeGreaterThan(1);
    expect(problems).toEqual([]);
  });

  test.each([
    ['a member does not join after it has left', 195_155_403],
    ['a write in doubt of an earlier life of the group comes late', 3_088_779],
    ['a transaction is given up whose batches had failed behind others in flight', 800_074_181],
    ['announcements are not written in time, and no record comes after them', 800_016_408],
  ])('does not stand still where %s (%i)', async (_, seed) => {
    expect((await simulate(seed, { on: 'kafka' })).problems).toEqual([]);
  });

  // It fails where outputs overtake others whose topic cannot be looked up in time.
  test('writes what it has read in its order, at least once (3058890)', async () => {
    const { plan, problems } = await simulate(3_058_890, { on: 'kafka' });
    expect(plan.guarantee).toBe('at-least-once');
    expect(problems).toEqual([]);
  });

  // It fails where two producer ids are fetched at a time, so that a batch is sent again under the second one.
  test('writes what a client has sent once (15822473)', async () => {
    expect((await simulate(15_822_473, { on: 'kafka' })).problems).toEqual([]);
  });

  // What an ended process had written of a deleted topic arrives behind what its successor writes of the new one.
  test('asks for no order between a topic and another one that has its name later (48143897)', async () => {
    const { plan, problems } = await simulate(48_143_897, { on: 'kafka' });
    expect(plan).toMatchObject({ guarantee: 'at-least-once', renewedAt: expect.any(Number) as number });
    expect(problems).toEqual([]);
  });

  // A commit that comes twice, the second time behind a later one, puts the offset back; the next owner of the task reads from there.
  test('lets at least once repeat what a late commit has put back (11867538)', async () => {
    const { plan, problems } = await simulate(11_867_538, { on: 'kafka' });
    expect(plan.guarantee).toBe('at-least-once');
    expect(problems).toEqual([]);
  });

  // A write that was sent in time is on its way for longer than a session lasts, and arrives behind what the next owner has written.
  test('lets rows come after newer ones that a slow network has kept (3160077)', async () => {
    const { plan, problems } = await simulate(3_160_077, { on: 'kafka' });
    expect(plan.guarantee).toBe('at-least-once');
    expect(problems).toEqual([]);
  });

  // An open transaction holds a record back, while a later one of another input of its task can be read.
  test('calls no record late that a transaction has held back (206391154)', async () => {
    expect((await simulate(206_391_154, { on: 'kafka' })).problems).toEqual([]);
  });

  // A commit reaches the changelog of one store of a step and not that of another.
  test('loses no row where a commit was torn between changelogs, at least once (72987579)', async () => {
    const { plan, problems } = await simulate(72_987_579, { on: 'kafka' });
    expect(plan.guarantee).toBe('at-least-once');
    expect(problems).toEqual([]);
  });

  test('goes another way with another seed', async () => {
    expect((await simulate(3)).hash).not.toBe((await simulate(12)).hash);
  });
});
