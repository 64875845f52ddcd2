import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from 'millrace';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { main } from '../../src/cli/program.ts';

/** The file that is the command. */
export const command: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** How a command ended. */
export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that runs, and what it has said so far. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly said: { out: string; err: string };
  readonly ended: Promise<Result>;
}

/** A folder of its own for each test, with commands that run in it. */
export class Cli {
  folder = '';

  /** Makes the folder a project that has the package as it was built, and RxJS. */
  project(): void {
    const modules = join(this.folder, 'node_modules');
    mkdirSync(modules);
    symlinkSync(root, join(modules, 'millrace'));
    symlinkSync(join(root, 'node_modules/rxjs'), join(modules, 'rxjs'));
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }');
  }

  /** Starts a command. The environment of the tests names no log to it. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|KAFKA_)/.test(name)));
    const child = spawn(process.execPath, [command, ...args], { cwd: this.folder, env: { ...clean, ...env } });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (said.err += text));
    // A command that ends before it has read its input closes the pipe.
    child.stdin.on('error', () => undefined);
    const ended = once(child, 'close').then(([code]: (number | null)[]): Result => ({ code: code ?? null, ...said }));
    return { child, said, ended };
  }

  /** Runs a command to its end. Its arguments are cut at spaces unless they are given one by one. */
  run(args: string | readonly string[], input: string | Uint8Array = ''): Promise<Result> {
    const { child, ended } = this.start(typeof args === 'string' ? args.split(' ') : args);
    child.stdin.end(input);
    return ended;
  }

  /** As `run`, without a process of its own: for many small cases. */
  async inProcess(args: string | readonly string[], input: string = '', more: Partial<Context> = {}): Promise<Result> {
    const said = { out: '', err: '' };
    const output = {
      tty: false,
      failure: undefined,
      data: (text: string) => void (said.out += text),
      deliver: async (text: string) => ((said.out += text), true),
      say: (text: string) => void (said.err += `${text}\n`),
    };
    const context = {
      output,
      env: { MILLRACE_PATH: join(this.folder, '.millrace') },
      input: Readable.from(input === '' ? [] : [Buffer.from(input)]),
      signal: new AbortController().signal,
      now: () => Date.now(),
      ...more,
    };
    const code = await main(typeof args === 'string' ? args.split(' ') : args, context, '0');
    return { code, ...said };
  }

  /** Runs two commands with a pipe between them. */
  async pipe(from: string, to: string): Promise<readonly [from: Result, to: Result]> {
    const [left, right] = [this.start(from.split(' ')), this.start(to.split(' '))];
    left.child.stdout.pipe(right.child.stdin);
    return Promise.all([left.ended, right.ended]);
  }

  /** Opens the log of the folder. */
  async withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await connect({ path: join(this.folder, '.millrace') });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
}

/** Gives each test of a file a new folder. */
export function useCli(): Cli {
  const cli = new Cli();
  beforeEach(() => {
    cli.folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  });
  afterEach(() => rmSync(cli.folder, { recursive: true, force: true }));
  return cli;
}

/** Gives all tests of a file one folder. */
export function useCliOnce(): Cli {
  const cli = new Cli();
  beforeAll(() => {
    cli.folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
  });
  afterAll(() => rmSync(cli.folder, { recursive: true, force: true }));
  return cli;
}

/** What was printed, line by line, as JSON. */
export const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** Waits until a command has said something on standard error, `times` times. */
export async function told({ child, said }: Running, text: string, times: number = 1): Promise<void> {
  while (said.err.split(text).length <= times) {
    if (child.exitCode !== null) throw new Error(`it has ended, and said: ${said.err}`);
    await once(child.stderr, 'data');
  }
}

/** Waits until a command has printed something. */
export async function printed({ child, said }: Running, text: string): Promise<void> {
  while (!said.out.includes(text)) await once(child.stdout, 'data');
}
