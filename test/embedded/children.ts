import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { until } from '../contract/support.ts';

export interface Child {
  readonly pid: number;
  /** Lines that the child has printed so far. */
  readonly lines: string[];
  readonly errors: () => string;
  /** Exit code, or the signal that ended it; `undefined` while it runs. */
  readonly ended: () => number | string | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Waits for a line that begins with a text, and returns the rest of it. */
  line(prefix: string, limitMs?: number): Promise<string>;
  exit(limitMs?: number): Promise<number | string>;
}

const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();
const folders: string[] = [];

/** Starts `child.ts` with a task and its arguments. @param shell - Wraps the command, as in `ulimit -f 100; exec "$@"`. */
export function startChild(task: string, args: readonly string[], shell?: string): Child {
  const script = fileURLToPath(new URL('./child.ts', import.meta.url));
  const command = [process.execPath, '--import', 'tsx', script, task, ...args];
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], env: childEnvironment() };
  const child =
    shell === undefined
      ? spawn(command[0]!, command.slice(1), options)
      : spawn('sh', ['-c', shell, 'sh', ...command], options);
  running.add(child);
  const lines: string[] = [];
  let errors = '';
  let ended: number | string | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.on('close', (code, signal) => {
    running.delete(child);
    ended = code ?? signal ?? 'unknown';
  });
  const about = (what: string): string => `${what} of "${task}" (pid ${child.pid}; stderr: ${errors.slice(-2000)})`;
  return {
    pid: child.pid!,
    lines,
    errors: () => errors,
    ended: () => ended,
    kill: (signal) => void child.kill(signal),
    line: async (prefix, limitMs) => {
      const found = await until(
        about(`the line "${prefix}"`),
        () => {
          const line = lines.find((text) => text.startsWith(prefix));
          if (line === undefined && ended !== undefined) throw new Error(`ended with ${ended} before ${about(prefix)}`);
          return line;
        },
        limitMs,
      );
      return found.slice(prefix.length).trim();
    },
    exit: (limitMs) => until(about('the end'), () => ended, limitMs),
  };
}

/** A new folder, removed after the test. */
export async function folder(name: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `millrace-${name}-`));
  folders.push(path);
  return path;
}

/** Without what the test runner adds for its own workers. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, VITEST: __, ...rest } = process.env;
  return rest;
}

afterEach(async () => {
  for (const child of running) {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
  }
  await Promise.all(folders.splice(0).map((path) => rm(path, { recursive: true, force: true })));
});
