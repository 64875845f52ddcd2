import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { agg, int32, keyBy, string, through, to, topic, tumbling, windowBy } from 'millrace';

export const RECORDS = 12_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const STEP_MS = Math.floor((365 * DAY_MS) / RECORDS);
const KEYS = 7;

export interface YearOptions {
  readonly name: string;
  readonly brokers: readonly string[];
  readonly guarantee: 'exactly-once' | 'at-least-once';
  /** How long each record of the source takes, so that nobody reads all of it at once. */
  readonly delayMs: number;
}

/** Counts per day, without grace, what two shuffles have brought together. */
export function year(name: string, delayMs: number) {
  const value = int32();
  const source = topic(`${name}-source`, { key: string(), value, partitions: 3 });
  const mixed = topic(`${name}-mixed`, { key: string(), value, partitions: 2 });
  const byKey = topic(`${name}-by-key`, { key: string(), value, partitions: 3 });
  const out = topic(`${name}-out`, { key: string(), value, partitions: 2 });
  const pipeline = source.pipe(
    keyBy((n) => {
      for (const end = performance.now() + delayMs; performance.now() < end; );
      return `${n % 5}`;
    }),
    through(mixed),
    keyBy((n) => `${n % KEYS}`),
    through(byKey),
    windowBy(tumbling({ size: '1d', grace: '0s' }), agg.count(), { store: `days-of-${name}` }),
    to(out),
  );
  return { source, shuffles: [mixed, byKey], out, pipeline };
}

/** A year in the order of time in each partition, and behind it a record of each key that closes all of its days. */
export function records(): { key: string; value: number; timestamp: number }[] {
  const all = Array.from({ length: RECORDS }, (_, n) => ({ key: `${n % 11}`, value: n, timestamp: n * STEP_MS }));
  const end = Array.from({ length: KEYS }, (_, n) => ({ key: `${n}`, value: n, timestamp: 400 * DAY_MS }));
  return [...all, ...end];
}

/** The rows of the year, computed without a stream. */
export function days(): Map<string, number> {
  const rows = new Map<string, number>();
  for (let n = 0; n < RECORDS; n += 1) {
    const row = rowOf(`${n % KEYS}`, n * STEP_MS);
    rows.set(row, (rows.get(row) ?? 0) + 1);
  }
  return rows;
}

export function rowOf(key: string, timestamp: number): string {
  return `${key} ${Math.floor(timestamp / DAY_MS)}`;
}

interface State {
  readonly tasks: readonly string[];
  readonly late: number;
  readonly recordsIn: number;
  readonly waitingFor: readonly string[];
}

const script = fileURLToPath(new URL('./year-child.ts', import.meta.url));

/** One process of the application, and what it said last. */
export class YearProcess {
  state: State = { tasks: [], late: 0, recordsIn: 0, waitingFor: [] };
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #ended: Promise<unknown>;

  constructor(options: YearOptions) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'exit');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.state = JSON.parse(line) as State;
    });
  }

  /** Ends it and waits for that. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }
}
