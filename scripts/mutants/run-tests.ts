import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedTest } from './mutant.ts';

/** What became of a test. */
export type Outcome = 'passed' | 'failed' | 'hung' | 'not found' | 'not loaded';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** How long the tests may take in all, and a property by itself, which then ends as if it had been tried often enough. */
export interface Limits {
  readonly limitMs: number;
  readonly propertyMs: number;
}

/** Runs tests in a tree, no others, and says what became of each. */
export async function runTests(
  tree: string,
  tests: readonly NamedTest[],
  seed: number,
  { limitMs, propertyMs }: Limits,
): Promise<ReadonlyMap<NamedTest, Outcome>> {
  const report = join(tree, 'mutants-report.json');
  rmSync(report, { force: true });
  const inTime = await vitest(
    tree,
    [
      ...new Set(tests.map(({ file }) => file)),
      '--testNamePattern',
      tests.map(({ test }) => `${test.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`).join('|'),
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    {
      ...process.env,
      MILLRACE_SEED: String(seed),
      MILLRACE_PROPERTY_MS: String(propertyMs),
      CI: 'true',
      NO_COLOR: '1',
    },
    limitMs,
  );
  if (!existsSync(report)) return new Map(tests.map((test) => [test, inTime ? 'not loaded' : 'hung']));
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return new Map(tests.map((test) => [test, outcomeOf(test, testResults)]));
}

function outcomeOf({ file, test }: NamedTest, results: Report['testResults']): Outcome {
  const ofFile = results.filter(({ name }) => name.endsWith(`/${file}`));
  const own = ofFile
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName, title }) => title === test || fullName === test);
  if (own.some(({ failureMessages }) => failureMessages?.some((text) => /\btimed out in \d+ms/i.test(text)))) {
    return 'hung';
  }
  if (own.some(({ status }) => status === 'failed')) return 'failed';
  if (own.length > 0 && own.every(({ status }) => status === 'passed')) return 'passed';
  return ofFile.some(({ message = '' }) => message !== '') ? 'not loaded' : 'not found';
}

/** @returns Whether it came to an end by itself. */
function vitest(tree: string, args: readonly string[], env: NodeJS.ProcessEnv, limitMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const command = [join(tree, 'node_modules/vitest/vitest.mjs'), 'run', '--maxWorkers=1', ...args];
    // A group of its own, so that workers end with it.
    const child = spawn(process.execPath, command, { cwd: tree, env, stdio: 'ignore', detached: true });
    const kill = (): void => {
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    };
    process.once('exit', kill);
    let inTime = true;
    const timer = setTimeout(() => {
      inTime = false;
      kill();
    }, limitMs);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve(inTime);
    });
  });
}
