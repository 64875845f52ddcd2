/**
 * Small faults in a copy of the project, one at a time, and whether the tests find them that are said to.
 * `npm run mutants`, `npm run mutants -- --only NAME`, `npm run mutants -- --sample 3 --seed 7`, `npm run mutants -- --list`
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { copyTree } from './mutants/copy-tree.ts';
import { mutants } from './mutants/index.ts';
import { type Mutant, mutated, type NamedTest, type Seeds } from './mutants/mutant.ts';
import { runSeeds } from './mutants/run-seeds.ts';
import { type Outcome, runTests } from './mutants/run-tests.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    limit: { type: 'string', default: '120' },
  },
});
const [seed, limitMs] = [Number(values.seed), Number(values.limit) * 1000];
const unknown = values.only.filter((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown.length > 0 || !Number.isSafeInteger(seed) || !(limitMs > 0)) {
  console.error(
    unknown.length > 0 ? `there is no mutant ${unknown.join(', ')}: see --list` : '--seed and --limit are numbers',
  );
  process.exit(2);
}

/** Some of them, other ones for other seeds. */
function sampled(all: readonly Mutant[], count: number): readonly Mutant[] {
  const rank = ({ name }: Mutant): number => {
    let hash = seed | 0;
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
    return (hash ^ (hash >>> 15)) >>> 0;
  };
  return all.toSorted((left, right) => rank(left) - rank(right)).slice(0, count);
}

const wanted = values.only.length > 0 ? mutants.filter(({ name }) => values.only.includes(name)) : mutants;
const chosen = values.sample === undefined ? wanted : sampled(wanted, Number(values.sample));

const testName = ({ file, hangs, test }: NamedTest): string => `${file}: ${test}${hangs ? ' (hangs)' : ''}`;

const seedsName = ({ count, from, on }: Seeds): string => `simulated runs ${from} to ${from + count - 1} on ${on}`;

if (values.list) {
  for (const { caughtBy, fault, file, name, seeds } of chosen) {
    console.log(`${name.padEnd(30)} ${file}\n    ${fault}`);
    for (const test of caughtBy) console.log(`    caught by ${testName(test)}`);
    if (seeds !== undefined) console.log(`    caught by ${seedsName(seeds)}`);
  }
  process.exit(0);
}

const root = fileURLToPath(new URL('../', import.meta.url));
const tree = copyTree(root);
process.on('exit', () => rmSync(tree, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** Why the tests of a mutant say nothing, or nothing is wrong. */
async function faultsWithout(all: readonly Mutant[]): Promise<ReadonlyMap<string, string>> {
  const tests = new Map(all.flatMap(({ caughtBy }) => caughtBy).map((test) => [testName(test), test]));
  const outcomes = await runTests(tree, [...tests.values()], seed, { limitMs: limitMs * 10, propertyMs: 1500 });
  return new Map(
    [...outcomes].flatMap(([test, outcome]) => (outcome === 'passed' ? [] : [[`${test.file}: ${test.test}`, outcome]])),
  );
}

const isCaught = ({ hangs }: NamedTest, outcome: Outcome | undefined): boolean =>
  outcome === 'failed' || (hangs === true && outcome === 'hung');

/** Ranges of seeds whose runs fail without any mutant, or come to no end. */
async function seedsWithout(all: readonly Mutant[]): Promise<ReadonlyMap<string, string>> {
  const ranges = new Map(all.flatMap(({ seeds }) => (seeds === undefined ? [] : [[seedsName(seeds), seeds]])));
  const outcomes = new Map<string, string>();
  for (const [range, seeds] of ranges) {
    const found = await runSeeds(tree, seeds, limitMs * 10);
    if (found !== 'none') outcomes.set(range, typeof found === 'number' ? `seed ${found} fails` : found);
  }
  return outcomes;
}

/** @returns why a mutant is not found by its seeds; `undefined` when it is, or has none */
async function survivesSeeds({ seeds }: Mutant, broken: ReadonlyMap<string, string>): Promise<string | undefined> {
  if (seeds === undefined) return undefined;
  const range = seedsName(seeds);
  const weak = broken.get(range);
  if (weak !== undefined) return `without the mutant, ${range}: ${weak}`;
  const found = await runSeeds(tree, seeds, limitMs * 2);
  if (typeof found !== 'number') return `${range}: ${found}`;
  console.log(`         seed ${found} of the ${range} fails`);
  return undefined;
}

/** @returns why the mutant survives; `undefined` when every test that it names finds it, and its seeds do. */
async function survives(mutant: Mutant, broken: ReadonlyMap<string, string>): Promise<string | undefined> {
  const path = join(tree, mutant.file);
  const original = readFileSync(path, 'utf8');
  const { source, why } = mutated(mutant, original);
  if (source === undefined) return why;
  const weak = mutant.caughtBy.flatMap(({ file, test }) => {
    const outcome = broken.get(`${file}: ${test}`);
    return outcome === undefined ? [] : [`${outcome} without the mutant: ${file}: ${test}`];
  });
  if (weak.length > 0) return weak.join('; ');
  writeFileSync(path, source);
  try {
    const outcomes = await runTests(tree, mutant.caughtBy, seed, { limitMs, propertyMs: 15_000 });
    const missed = mutant.caughtBy.filter((test) => !isCaught(test, outcomes.get(test)));
    return missed.length === 0
      ? await survivesSeeds(mutant, broken)
      : missed.map((test) => `${outcomes.get(test)}: ${testName(test)}`).join('; ');
  } finally {
    writeFileSync(path, original);
  }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

let began = performance.now();
const brokenTests = await faultsWithout(chosen);
const brokenSeeds = await seedsWithout(chosen);
const broken = new Map([...brokenTests, ...brokenSeeds]);
const tests = new Set(chosen.flatMap(({ caughtBy }) => caughtBy.map(testName))).size;
console.log(`${tests - brokenTests.size} of ${tests} tests pass without any mutant, ${seconds(began)}`);
let passed = 0;
for (const mutant of chosen) {
  began = performance.now();
  const why = await survives(mutant, broken);
  if (why === undefined) passed += 1;
  const row = [mutant.name.padEnd(32), mutant.file.padEnd(46)].join(' ');
  console.log(`${why === undefined ? 'caught  ' : 'SURVIVES'} ${row} ${seconds(began).padStart(7)}`);
  console.log(
    why === undefined ? mutant.caughtBy.map((test) => `           ${testName(test)}`).join('\n') : `           ${why}`,
  );
}
console.log(`${passed} passed, ${chosen.length - passed} failed`);
process.exitCode = passed === chosen.length ? 0 : 1;
