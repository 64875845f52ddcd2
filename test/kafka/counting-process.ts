import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { AlgebraOptions } from './algebra-kinds.ts';
import type { CountingOptions } from './counting.ts';

const childOf = (name: string): string => fileURLToPath(new URL(`./${name}-child.ts`, import.meta.url));

/** Lines of its history that are kept: about a minute. */
const HISTORY = 120;

interface State {
  readonly tasks: readonly string[];
  readonly waitingFor: readonly string[];
  readonly restarts: number;
  readonly late: number;
}

/** One process of the application, and what it says. */
export class CountingProcess {
  /** Where it stands, as it said last. */
  state: State = { tasks: [], waitingFor: [], restarts: 0, late: 0 };
  /** What it has said that it waits for, and until when that was so. */
  readonly #waits = new Map<string, number>();
  /** Codes of what it has warned of. */
  readonly warnings: string[] = [];
  /** Where it stood in detail, lately, and what it warned of, with the time of day. */
  readonly history: string[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #ended: Promise<unknown>;

  /** @param child - Which program it runs, and what that is told. */
  constructor(options: CountingOptions);
  constructor(options: AlgebraOptions, child: 'algebra');
  constructor(options: object, child = 'counting') {
    this.#child = spawn(process.execPath, ['--import', 'tsx', childOf(child), JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit');
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#said(line));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it said that it waits for since then. */
  waitedFor(since: number): string[] {
    return [...this.#waits].filter(([, until]) => until >= since).map(([reason]) => reason);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, with a signal, and waits for that. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.signal(signal);
    if (this.running) await this.#ended;
  }

  #said(line: string): void {
    const { state, log, code, detail, at } = JSON.parse(line) as {
      readonly state?: State;
      readonly log?: string;
      readonly code?: string;
      readonly detail?: object;
      readonly at?: number;
    };
    if (log !== undefined) this.warnings.push(`${code ?? ''} ${log}`);
    if (log !== undefined || detail !== undefined) {
      this.history.push(`${new Date(at ?? Date.now()).toISOString()} ${log ?? JSON.stringify(detail)}`);
      if (this.history.length > HISTORY) this.history.shift();
    }
    if (state === undefined) return;
    for (const reason of this.state.waitingFor) this.#waits.set(reason, performance.now());
    for (const reason of state.waitingFor) this.#waits.set(reason, Number.POSITIVE_INFINITY);
    this.state = state;
  }
}
