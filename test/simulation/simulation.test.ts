import { describe, expect, test } from 'vitest';
import { simulate } from './simulation.ts';

describe('a simulated run', () => {
  test.each([3, 12])('is a function of its seed (%i)', async (seed) => {
    const lines: string[][] = [[], []];
    const outcomes = [];
    for (const log of lines) outcomes.push(await simulate(seed, { log: (line) => log.push(line) }));
    const [one, other] = outcomes;
    expect(other?.hash).toBe(one?.hash);
    expect(lines[1]).toEqual(lines[0]);
    expect(other).toEqual(one);
    expect(one?.events).toBeGreaterThan(100);
  });

  test('goes another way with another seed', async () => {
    expect((await simulate(3)).hash).not.toBe((await simulate(12)).hash);
  });
});
