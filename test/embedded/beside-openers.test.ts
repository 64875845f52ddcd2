import { describe, expect, it } from 'vitest';
import { type Churn, churn } from './churn.ts';

const SECONDS = 15;

/** Short forms of `npm run test:processes`. */
const PLANS: Readonly<Record<string, Omit<Churn, 'seconds'>>> = {
  'two writers beside processes that open and close': { writers: 2, openers: 2 },
  'an exactly-once counter beside processes that open and close': { counters: 1, openers: 3 },
  'four writers beside a process that opens and closes': { writers: 4, openers: 1 },
  'writers, a counter and openers, all of them killed': {
    writers: 2,
    counters: 1,
    openers: 1,
    kill: ['writer', 'counter', 'opener'],
  },
};

describe('several processes on one folder', () => {
  for (const [name, plan] of Object.entries(PLANS)) {
    it(`lose nothing and say nothing: ${name}`, { timeout: 120_000 }, async () => {
      const { problems, acknowledged, commits } = await churn({ ...plan, seconds: SECONDS });
      expect(problems.slice(0, 5)).toEqual([]);
      expect(acknowledged + commits, 'they must have got somewhere').toBeGreaterThan(100);
    });
  }
});
