/**
 * Runs the runtime and the transports in simulated worlds: `npm run simulate -- --seeds 300 --from 7919`, and `-- --seed N`
 * shows one of them again. With `--on kafka`, `embedded` or `memory` all of them run on that.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { LOG_KINDS, simulate } from '../test/simulation/simulation.ts';
import { SimulationWorkers } from './simulate/workers.ts';

/** Failures that are shrunk; more are only named. */
const SHRUNK = 3;
/** How often it says how far it is, when that takes long. */
const SAY_MS = 60_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    on: { type: 'string' },
    from: { type: 'string', default: '1' },
    /** Seconds. */
    limit: { type: 'string' },
    /** The number of the faults that take place. */
    only: { type: 'string' },
    /** Ends with the first seed that fails. */
    first: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
    quiet: { type: 'boolean' },
  },
});

const on = LOG_KINDS.find((kind) => kind === values.on);
if (values.on !== undefined && on === undefined) {
  console.error(`--on is one of ${LOG_KINDS.join(', ')}`);
  process.exit(2);
}

async function showOne(seed: number): Promise<boolean> {
  const kept = values.only?.split(',').map(Number);
  const outcome = await simulate(seed, {
    ...(on && { on }),
    keeps: (_, at) => kept?.includes(at) ?? true,
    log: (line) => values.quiet !== true && console.log(line),
  });
  console.log(JSON.stringify(outcome.plan));
  console.log(`${outcome.events} events in ${outcome.virtualMs} ms, hash ${outcome.hash}`);
  for (const problem of outcome.problems) console.log(problem);
  console.log(outcome.problems.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
  return outcome.problems.length === 0;
}

async function runMany(): Promise<boolean> {
  const [from, seeds, count] = [Number(values.from), Number(values.seeds), Number(values.workers)];
  const limitMs = Number(values.limit ?? Number.POSITIVE_INFINITY) * 1000;
  const since = performance.now();
  const counts = new Map<string, number>();
  const add = (what: string, more: number): void => void counts.set(what, (counts.get(what) ?? 0) + more);
  const failed: number[] = [];
  let [passed, next, said] = [0, from, since];
  const workers = await SimulationWorkers.start(count, on);
  const goesOn = (): boolean =>
    next < from + seeds && performance.now() - since < limitMs && !(values.first && failed.length > 0);
  const line = async (worker: number): Promise<void> => {
    while (goesOn()) {
      const seed = next++;
      const outcome = await workers.simulate(worker, seed);
      for (const [what, more] of Object.entries(outcome.counts)) add(what, more);
      add('events', outcome.events);
      if (outcome.plan !== undefined) add(`runs on ${outcome.plan.on}, ${outcome.plan.guarantee}`, 1);
      if (outcome.problems.length === 0) passed += 1;
      else {
        failed.push(seed);
        // Shrinking runs it once for each fault.
        const shrinks = failed.length <= SHRUNK && outcome.plan !== undefined && !values.first;
        console.log(shrinks ? await workers.shrink(worker, seed) : `seed ${seed} failed: ${outcome.problems[0]}`);
      }
      if (performance.now() - said < SAY_MS) continue;
      said = performance.now();
      console.log(`${passed} passed, ${failed.length} failed after ${((said - since) / 1000).toFixed(0)} s`);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, worker) => line(worker)));
  await workers.close();
  const seconds = (performance.now() - since) / 1000;
  console.log(`covered in ${seconds.toFixed(1)} s, ${((passed + failed.length) / seconds).toFixed(1)} seeds a second:`);
  for (const [what, all] of [...counts].sort(([left], [right]) => (left < right ? -1 : 1)))
    console.log(`  ${what}: ${all}`);
  failed.sort((left, right) => left - right);
  if (failed.length > 0) console.log(`failed seeds: ${failed.join(', ')}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  return failed.length === 0;
}

const wellDone = values.seed === undefined ? await runMany() : await showOne(Number(values.seed));
process.exitCode = wellDone ? 0 : 1;
