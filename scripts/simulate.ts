/**
 * Runs the runtime and the Kafka transport in simulated worlds: `npm run simulate -- --seeds 300 --from 7919`, and
 * `-- --seed N` shows one of them again.
 */
import { parseArgs } from 'node:util';
import { shrink } from '../test/simulation/shrink.ts';
import { simulate } from '../test/simulation/simulation.ts';

/** Failures that are shrunk; more are only named. */
const SHRUNK = 3;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string' },
    limit: { type: 'string' },
    only: { type: 'string' },
    quiet: { type: 'boolean' },
  },
});

if (values.seed !== undefined) {
  const kept = values.only?.split(',').map(Number);
  const outcome = await simulate(Number(values.seed), {
    keeps: (_, at) => kept?.includes(at) ?? true,
    log: (line) => values.quiet !== true && console.log(line),
  });
  console.log(JSON.stringify(outcome.plan));
  console.log(`${outcome.events} events in ${outcome.virtualMs} ms, hash ${outcome.hash}`);
  for (const problem of outcome.problems) console.log(problem);
  console.log(outcome.problems.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
  process.exitCode = outcome.problems.length === 0 ? 0 : 1;
} else {
  const from = Number(values.from ?? 1);
  const seeds = Number(values.seeds ?? 100);
  const limitMs = Number(values.limit ?? Number.POSITIVE_INFINITY) * 1000;
  const since = performance.now();
  const counts = new Map<string, number>();
  const failed: number[] = [];
  let passed = 0;
  for (let seed = from; seed < from + seeds && performance.now() - since < limitMs; seed++) {
    const outcome = await simulate(seed);
    for (const [what, count] of Object.entries(outcome.counts)) counts.set(what, (counts.get(what) ?? 0) + count);
    counts.set('events', (counts.get('events') ?? 0) + outcome.events);
    counts.set(`runs ${outcome.plan.guarantee}`, (counts.get(`runs ${outcome.plan.guarantee}`) ?? 0) + 1);
    if (outcome.problems.length === 0) passed += 1;
    else {
      failed.push(seed);
      // Shrinking runs it once for each fault.
      console.log(failed.length > SHRUNK ? `seed ${seed} failed: ${outcome.problems[0]}` : await shrink(outcome));
    }
  }
  console.log(`covered in ${((performance.now() - since) / 1000).toFixed(1)} s:`);
  for (const [what, count] of [...counts].sort(([left], [right]) => (left < right ? -1 : 1)))
    console.log(`  ${what}: ${count}`);
  if (failed.length > 0) console.log(`failed seeds: ${failed.join(', ')}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
