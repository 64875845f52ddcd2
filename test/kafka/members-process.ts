import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { until } from '../contract/support.ts';
import type { MembersOptions } from './members-child.ts';

const script = fileURLToPath(new URL('./members-child.ts', import.meta.url));

interface Said {
  readonly read?: string;
  readonly tasks?: number;
  readonly debug?: string;
  readonly code?: string;
  readonly error?: string;
  readonly message?: string;
}

/** A process of the application in `members-child.ts`, and what it says. */
export class MembersProcess {
  static readonly #all = new Set<MembersProcess>();
  /** Values of the records that it has read. */
  readonly read: string[] = [];
  /** What it was warned of: codes and texts. */
  readonly warnings: string[] = [];
  #tasks = -1;
  #ready = false;
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly ended: Promise<unknown>;

  /** @param built - Runs what is built, as users do, on the Node that is named, and not the sources. */
  constructor(options: MembersOptions, built?: { readonly node: string }) {
    this.#child = spawn(built?.node ?? process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: built === undefined ? process.env : { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.build.json' },
    });
    this.ended = once(this.#child, 'exit');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#said(JSON.parse(line) as Said));
    MembersProcess.#all.add(this);
  }

  /** Ends those that are left. */
  static async endAll(): Promise<void> {
    await Promise.all([...MembersProcess.#all].map((each) => each.end('SIGKILL')));
    MembersProcess.#all.clear();
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  hasTasks(count: number): Promise<unknown> {
    return until(`a process to have ${count} tasks`, () => this.#tasks === count, 30_000);
  }

  /** It has told that another thread can send its heartbeats now. */
  async isReady(): Promise<void> {
    await until('a process to be ready', () => this.#ready, 30_000);
  }

  hasRead(value: string): Promise<unknown> {
    return until(`a process to read ${value}`, () => this.read.includes(value), 30_000);
  }

  wasWarned(of: RegExp): Promise<unknown> {
    return until(`a warning: ${of}`, () => this.warnings.some((warning) => of.test(warning)), 30_000);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.signal(signal);
    await this.ended;
  }

  #said({ read, tasks, debug, code, error, message }: Said): void {
    if (read !== undefined) this.read.push(read);
    if (tasks !== undefined) this.#tasks = tasks;
    if (debug === 'the heartbeat thread is ready') this.#ready = true;
    if (message !== undefined)
      this.warnings.push([code, message, error].filter((part) => part !== undefined).join(' '));
  }
}
