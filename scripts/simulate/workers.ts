import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import type { LogKind } from '../../test/simulation/simulation.ts';
import { RunWatch, type Used } from './run-watch.ts';
import type { Asked, Result } from './worker.ts';

/** A run takes less than a second of CPU time and never waits long: beyond this it never ends. */
const HANGS: Used = { cpuMs: 60_000, idleMs: 60_000 };
/** Shrinking runs a seed once for each fault. */
const SHRINKING_HANGS: Used = { cpuMs: 600_000, idleMs: 60_000 };
/** Worlds that ended leave something behind: a worker is used for so many of them. */
const RUNS = 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Threads that simulate. They get one file that is made for them: that loads sooner, and runs as users' code does. */
export class SimulationWorkers {
  readonly #folder: string;
  readonly #on: LogKind | undefined;
  readonly #workers: (Worker | undefined)[];
  readonly #runs: number[];

  /** @param on - On what all of it runs; the seeds decide unless given. */
  static async start(count: number, on?: LogKind): Promise<SimulationWorkers> {
    // Beside the packages, which it imports.
    const folder = mkdtempSync(`${root}node_modules/.simulate-`);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    await build({
      absWorkingDir: root,
      entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
      bundle: true,
      outfile: `${folder}/worker.mjs`,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      sourcemap: 'inline',
      logLevel: 'error',
    });
    return new SimulationWorkers(folder, count, on);
  }

  private constructor(folder: string, count: number, on: LogKind | undefined) {
    this.#folder = folder;
    this.#on = on;
    this.#workers = Array.from({ length: count }, () => undefined);
    this.#runs = Array.from({ length: count }, () => 0);
  }

  simulate(worker: number, seed: number): Promise<Result> {
    return this.#ask<Result>(worker, { seed, on: this.#on, shrinks: false }, HANGS).catch((error: Error) => {
      return { problems: [`it cannot be simulated: ${error.message}`], counts: {}, events: 0 };
    });
  }

  /** The fewest faults with which a run fails, in words. */
  shrink(worker: number, seed: number): Promise<string> {
    return this.#ask<string>(worker, { seed, on: this.#on, shrinks: true }, SHRINKING_HANGS).catch(
      (error: Error) => error.message,
    );
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) await worker?.terminate();
  }

  #ask<T>(at: number, asked: Asked, limit: Used): Promise<T> {
    const worker = this.#worker(at);
    return new Promise<T>((resolve, reject) => {
      const lost = (error: Error): void => {
        over();
        this.#workers[at] = undefined;
        void worker.terminate();
        reject(error);
      };
      const answered = (answer: T): void => {
        over();
        resolve(answer);
      };
      const over = (): void => {
        watch.over();
        worker.off('message', answered).off('error', lost);
      };
      // The CPU time of a single thread is unknown, so the limit is for all of them.
      const ofAll = { ...limit, cpuMs: limit.cpuMs * this.#workers.length };
      const watch = new RunWatch(
        () => usedBy(worker),
        ofAll,
        (why) => lost(new Error(why)),
      );
      worker.on('message', answered).on('error', lost);
      worker.postMessage(asked, []);
    });
  }

  #worker(at: number): Worker {
    let worker = this.#workers[at];
    if (worker === undefined || this.#runs[at] === RUNS) {
      void worker?.terminate();
      worker = this.#workers[at] = new Worker(`${this.#folder}/worker.mjs`, { execArgv: ['--enable-source-maps'] });
      this.#runs[at] = 0;
    }
    this.#runs[at] = (this.#runs[at] ?? 0) + 1;
    return worker;
  }
}

function usedBy(worker: Worker): Used {
  const { system, user } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, idleMs: worker.performance.eventLoopUtilization().idle };
}
