import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running example. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when this text was printed, or when the process has ended. */
  printed(text: string): Promise<void>;
}

/** Starts a program of the project without colours. */
export function start(command: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, command, {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '100', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const finished = once(child, 'close').then(([code, signal]): Finished => {
    return { code, signal, stdout, stderr };
  });
  return {
    child,
    finished,
    async printed(text) {
      const seen = (): boolean => stdout.includes(text) || stderr.includes(text);
      await Promise.race([
        finished,
        new Promise<void>((resolve) => {
          const look = (): void => {
            if (seen()) resolve();
          };
          child.stdout.on('data', look);
          child.stderr.on('data', look);
          look();
        }),
      ]);
    },
  };
}

/** Starts `examples/<name>/main.ts` as a user would. */
export function startExample(name: string, args: readonly string[], env?: NodeJS.ProcessEnv): Running {
  return start(['--import', 'tsx', `examples/${name}/main.ts`, ...args], env);
}

/** Runs an example to its end. */
export function runExample(name: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Finished> {
  return startExample(name, args, env).finished;
}

/** A folder that is deleted by `remove`. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-example-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
