import type { Pipeline } from 'millrace';
import { StoreError } from '../../src/errors.ts';
import type { Logger } from '../../src/log/logger.ts';
import { startApp } from '../../src/runtime/app/app.ts';
import type { App } from '../../src/runtime/app/app-handle.ts';
import type { StoreBackend } from '../../src/state/byte-store.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';
import { KafkaTransport } from '../../src/transports/kafka/kafka-transport.ts';
import type { Machine } from '../../src/transports/kafka/machine.ts';
import { kafkaSettings } from '../../src/transports/kafka/options.ts';
import { UnpackBudget } from '../../src/transports/local/unpack-budget.ts';
import type { Network } from './network.ts';
import { type Plan, SESSION_MS } from './plan.ts';
import type { Random } from './random.ts';
import type { Host, World } from './world.ts';

const APPLICATION = 'simulated';

/** A machine on which a process of the application runs: the disk stays, the process comes and goes. */
export class Instance {
  readonly number: number;
  readonly #world: World;
  readonly #network: Network;
  readonly #plan: Plan;
  readonly #pipeline: Pipeline;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  #disk: StoreBackend = memoryStores();
  #lives = 0;
  #names = 0;
  host: Host | undefined;
  app: App | undefined;
  /** How the process ended, if it did. */
  ended: { readonly error: unknown } | undefined;
  /** Writing to the disk fails. */
  diskFull = false;

  constructor(
    number: number,
    world: World,
    network: Network,
    plan: Plan,
    pipeline: Pipeline,
    random: Random,
    log: (line: string) => void,
  ) {
    this.number = number;
    this.#world = world;
    this.#network = network;
    this.#plan = plan;
    this.#pipeline = pipeline;
    this.#random = random;
    this.#log = log;
  }

  get running(): boolean {
    return this.host?.alive === true && this.ended === undefined;
  }

  start(): void {
    if (this.running) return;
    this.#lives += 1;
    const host = this.#world.host(`p${this.number}.${this.#lives}`);
    const { plan } = { plan: this.#plan };
    if (plan.disks[this.number] !== true) this.#disk = memoryStores();
    const disk = this.#disk;
    const machine = machineOf(host, this.#network, this.#random, () => `name-${this.number}-${++this.#names}`);
    const logger = this.#logger(host);
    const settings = kafkaSettings({
      brokers: ['node-1:9092'],
      guarantee: plan.guarantee,
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: 1000,
      maxPollIntervalMs: 30_000,
      requestTimeoutMs: plan.requestTimeoutMs,
      deliveryTimeoutMs: plan.deliveryTimeoutMs,
      transactionTimeoutMs: 10_000,
      stores: async () => ({
        open: (id) => disk.open(id),
        list: (id) => disk.list(id),
        check: (writes) => disk.check(writes),
        apply: (writes) => {
          if (!host.alive) throw new Error('the process is dead');
          if (this.diskFull) throw new StoreError('ERR_STORE_WRITE', 'the disk is full', { written: 'no' });
          disk.apply(writes);
        },
        close: async () => undefined,
      }),
      logger,
    });
    this.host = host;
    this.ended = undefined;
    const app = withoutTimers(() =>
      startApp(this.#pipeline, () => KafkaTransport.open(settings, machine), {
        applicationId: APPLICATION,
        clock: host.clock,
        commitInterval: `${plan.commitMs}ms`,
        logger,
      }),
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
    if (this.host === undefined) return;
    this.host.alive = false;
    this.#network.cut({ host: this.host });
  }

  #end(host: Host, error: unknown): void {
    if (this.host !== host) return;
    this.ended = { error };
    this.#log(`${host.name} ended${error === undefined ? '' : `: ${(error as Error).message}`}`);
    this.#network.cut({ host });
    host.alive = false;
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

/** What a process takes from its machine. */
export function machineOf(host: Host, network: Network, random: Random, name: () => string): Machine {
  const { clock } = host;
  return {
    clock,
    moment: () => ({ monotonicMs: Math.floor(clock.monotonic()), wallMs: clock.now() }),
    random: random.next,
    name,
    unpacked: new UnpackBudget(clock),
    threads: false,
    connect: (options) => network.connect(host, options),
  };
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
