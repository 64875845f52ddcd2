import type { Pipeline } from 'millrace';
import type { Logger } from '../../src/log/logger.ts';
import type { OpenTransport } from '../../src/log/transport.ts';
import { startApp } from '../../src/runtime/app/app.ts';
import type { App } from '../../src/runtime/app/app-handle.ts';
import type { AppOptions } from '../../src/runtime/app/app-options.ts';
import type { Host, World } from './world.ts';

export const APPLICATION = 'simulated';

/** What a process of the application stands on. */
export interface Ground {
  /** A process begins. @returns how it opens its log */
  begin(host: Host, logger: Logger): OpenTransport;
  /** A process is gone. */
  died(host: Host): void;
  /** Whether what ran in a process goes on when its log is taken from it: it is in the same process as the log. */
  readonly outlives?: boolean;
}

/** What runs in each process. */
export interface Simulated {
  readonly pipeline: Pipeline;
  readonly options: Omit<AppOptions, 'applicationId' | 'clock' | 'logger'>;
}

/** A machine on which a process of the application runs: what it stands on stays, the process comes and goes. */
export class Instance<G extends Ground = Ground> {
  readonly number: number;
  readonly ground: G;
  readonly #world: World;
  readonly #simulated: Simulated;
  readonly #log: (line: string) => void;
  #lives = 0;
  host: Host | undefined;
  app: App | undefined;
  /** How the process ended, if it did. */
  ended: { readonly error: unknown } | undefined;

  constructor(number: number, world: World, simulated: Simulated, ground: G, log: (line: string) => void) {
    this.number = number;
    this.ground = ground;
    this.#world = world;
    this.#simulated = simulated;
    this.#log = log;
  }

  get running(): boolean {
    return this.host?.alive === true && this.ended === undefined;
  }

  start(): void {
    if (this.running) return;
    this.#lives += 1;
    const host = this.#world.host(`p${this.number}.${this.#lives}`);
    const logger = this.#logger(host);
    const open = this.ground.begin(host, logger);
    this.host = host;
    this.ended = undefined;
    const { options, pipeline } = this.#simulated;
    const app = withoutTimers(() =>
      startApp(pipeline, open, { ...options, applicationId: APPLICATION, clock: host.clock, logger }),
    );
    this.app = app;
    app.ready.catch(() => undefined);
    app.done.then(
      () => {
        if (host.alive) this.#end(host, undefined);
      },
      (error: unknown) => {
        if (host.alive) this.#end(host, error);
      },
    );
  }

  /** The process is gone, at once. */
  kill(): void {
    if (this.host?.alive !== true) return;
    if (this.ground.outlives === true) {
      this.ended = { error: new Error('its log was taken from it') };
      void this.app?.stop().catch(() => undefined);
    } else this.host.alive = false;
    this.ground.died(this.host);
  }

  #end(host: Host, error: unknown): void {
    if (this.host !== host) return;
    this.ended = { error };
    this.#log(`${host.name} ended${error === undefined ? '' : `: ${(error as Error).message}`}`);
    host.alive = false;
    this.ground.died(host);
  }

  #logger(host: Host): Logger {
    const log =
      (level: string) =>
      (fields: object, message: string): void => {
        if (host.alive) this.#log(`${host.name} ${level} ${message} ${JSON.stringify(fields)}`);
      };
    return { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') };
  }
}

/** An application holds its process with a timer that never fires: one that is killed here would hold it forever. */
function withoutTimers<T>(work: () => T): T {
  const { setInterval } = globalThis;
  globalThis.setInterval = (() => 0) as unknown as typeof setInterval;
  try {
    return work();
  } finally {
    globalThis.setInterval = setInterval;
  }
}

/** What a process waits for, in words. */
export function whyNot({ app, ended, host, number }: Instance): string {
  if (app === undefined) return `p${number} was never started`;
  if (ended !== undefined) return `p${number} ended: ${String(ended.error)}`;
  const { error, state, tasks, waitingFor } = app.snapshot();
  const has = tasks.map(({ id }) => id).join(', ');
  return `${host?.name} is ${state}, has ${has}, waits for: ${waitingFor.join('; ')}${error === undefined ? '' : ` (${error.message})`}`;
}
