/**
 * Several processes on one folder of an embedded log, for as long as one likes: openers, writers, a counter, SIGKILL at
 * random moments. Everything that was acknowledged must be there, once. `npm run test:processes -- --minutes 10`
 */
import { parseArgs } from 'node:util';
import { type Churn, type ChurnResult, churn } from '../test/embedded/churn.ts';

const PLANS: Readonly<Record<string, (round: number) => Omit<Churn, 'seconds'>>> = {
  openers: (round) => ({ writers: 2 + (round % 3), openers: 2 }),
  writers: (round) => ({ writers: 2 + (round % 3) }),
  kills: (round) => ({ writers: 2 + (round % 3), openers: 1, kill: ['writer', 'opener'] }),
  counter: (round) => ({ counters: 1, openers: 2, ...(round % 2 === 0 ? {} : { kill: ['counter', 'opener'] }) }),
};
const ROUND_SECONDS = 20;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, only: { type: 'string', default: Object.keys(PLANS).join() } },
});
const minutes = Number(values.minutes);
const names = values.only.split(',');
if (!(minutes > 0) || names.some((name) => PLANS[name] === undefined)) {
  console.error(`usage: npm run test:processes -- [--minutes 10] [--only ${Object.keys(PLANS).join()}]`);
  process.exit(2);
}

let failed = false;
for (const name of names) {
  const sum = { rounds: 0, bad: 0, acknowledged: 0, commits: 0, opens: 0, kills: 0 };
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    const seconds = Math.min(ROUND_SECONDS, Math.max(1, (end - performance.now()) / 1000));
    const result: ChurnResult = await churn({ ...PLANS[name]!(sum.rounds), seconds });
    sum.rounds++;
    sum.acknowledged += result.acknowledged;
    sum.commits += result.commits;
    sum.opens += result.opens;
    sum.kills += result.kills;
    if (result.problems.length === 0) continue;
    sum.bad++;
    failed = true;
    console.log(`${name}, round ${sum.rounds}: ${result.problems.length} problems`);
    for (const problem of result.problems.slice(0, 5)) console.log(`  ${problem}`);
  }
  console.log(
    `${process.version} ${name}: ${sum.rounds} rounds, ${sum.bad} bad; ${sum.acknowledged} records and ${sum.commits} commits acknowledged, ${sum.opens} opens, ${sum.kills} kills`,
  );
}
process.exitCode = failed ? 1 : 0;
