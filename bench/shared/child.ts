import { fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('child-entry.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A function call to be made in another process. Arguments and result travel as structured clones. */
export interface Call {
  /** `import.meta.url` of the module. */
  readonly module: string;
  /** Name of a function that it exports. */
  readonly work: string;
  readonly given: readonly unknown[];
}

/**
 * Calls an exported function in a process of its own, so that what ran before does not show in what it measures. With a folder in
 * `BENCH_PROFILES` it leaves a CPU profile there.
 */
export function inChild<T>(module: string, work: string, ...given: unknown[]): Promise<T> {
  const profiles = process.env['BENCH_PROFILES'];
  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
  const child = fork(ENTRY, [], {
    cwd: ROOT,
    serialization: 'advanced',
    execArgv: [...process.execArgv, ...profiling],
  });
  return new Promise((resolve, reject) => {
    let result: { readonly value: T } | undefined;
    child.on('message', (message) => {
      result = message as { readonly value: T };
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result.value);
      else reject(new Error(`${work} of ${module} ended with ${signal ?? code}`));
    });
    child.send({ module, work, given } satisfies Call);
  });
}

/** Runs a program text as a plain Node module, without any loader, and gives what it printed. */
export function inPlainNode(program: string): Promise<string> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`a program ended with ${code}: ${program}`));
    });
  });
}
