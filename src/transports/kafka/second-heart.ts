import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { type Cancel, every, systemClock } from '../../dataflow/clock.ts';
import type { HeartMessage, PortableSettings } from './heart-worker.ts';
import type { Lease } from './lease.ts';
import type { KafkaSettings } from './options.ts';
import type { GroupIdentity } from './wire/offset-commit.ts';

/** How long a thread without members is kept, in ms. */
const KEEP_MS = 1000;

/** The heartbeat thread that all members of this thread share. */
let thread: HeartThread | undefined;
let members = 0;

/**
 * A thread that sends heartbeats while this one is blocked by a user function. It does nothing else, opens no
 * connection before it is needed, and does not keep the process alive.
 */
export class SecondHeart {
  readonly #lease: Lease;
  readonly #thread: HeartThread;
  readonly #id = ++members;
  readonly #stop: Cancel;

  /** @returns `undefined` if the settings contain values that cannot be sent to another thread. */
  static of(settings: KafkaSettings, lease: Lease): SecondHeart | undefined {
    const { logger, stores: _, ...portable } = settings;
    if (isPortable(portable)) return new SecondHeart(settings, portable, lease);
    logger.warn(
      { option: 'ssl' },
      'ssl holds functions or objects that cannot go to another thread: heartbeats come from this one, and a function that ' +
        'blocks it for longer than sessionTimeoutMs costs the process its tasks',
    );
    return undefined;
  }

  private constructor(settings: KafkaSettings, portable: PortableSettings, lease: Lease) {
    this.#lease = lease;
    thread ??= new HeartThread();
    this.#thread = thread;
    this.#thread.users.set(this.#id, settings);
    this.#thread.post({ kind: 'open', id: this.#id, settings: portable, memory: lease.memory });
    lease.live();
    this.#stop = every(systemClock, settings.heartbeatIntervalMs, () => lease.live());
  }

  /** The member has joined. */
  joined(spell: number, identity: GroupIdentity): void {
    this.#lease.live();
    this.#thread.post({ kind: 'joined', id: this.#id, spell, identity });
  }

  close(): void {
    this.#stop();
    this.#thread.post({ kind: 'close', id: this.#id });
    this.#thread.users.delete(this.#id);
    // An application that rebuilds its tasks needs it again immediately.
    systemClock.after(KEEP_MS, () => {
      if (this.#thread.users.size > 0) return;
      if (thread === this.#thread) thread = undefined;
      this.#thread.end();
    });
  }
}

class HeartThread {
  readonly users = new Map<number, KafkaSettings>();
  readonly #waiting: HeartMessage[] = [];
  #worker: Worker | undefined;
  #over = false;

  constructor() {
    void this.#start();
  }

  post(message: HeartMessage): void {
    if (this.#worker === undefined) this.#waiting.push(message);
    else this.#worker.postMessage(message, []);
  }

  end(): void {
    this.#over = true;
    void this.#worker?.terminate();
  }

  async #start(): Promise<void> {
    try {
      const { HEART_WORKER, heartWorker } = await import('./heart-worker.ts');
      // If everything is bundled into one file, that file is the program, which must not run twice.
      if (!/\bheart-worker[^/]*\.[jt]s$/.test(new URL(heartWorker).pathname)) {
        throw new Error(`${heartWorker} is not the file of the worker: leave millrace out of the bundle`);
      }
      if (this.#over) return;
      const worker = launch(heartWorker, { name: HEART_WORKER, workerData: HEART_WORKER });
      worker.on('error', (error) => this.#failed(error));
      worker.once('message', () => {
        for (const { logger } of this.users.values()) logger.debug({}, 'the heartbeat thread is ready');
      });
      worker.unref();
      this.#worker = worker;
      for (const message of this.#waiting.splice(0)) worker.postMessage(message, []);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    for (const { logger } of this.users.values()) {
      logger.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'the heartbeat thread is not running: a function that blocks this one for longer than sessionTimeoutMs costs ' +
          'the process its tasks',
      );
    }
  }
}

/** Starts a worker. TypeScript sources, as in tests, need tsx, whose hooks do not apply to workers before Node 22. */
function launch(file: string, options: WorkerOptions): Worker {
  if (!file.endsWith('.ts') || 'typescript' in process.features) return new Worker(new URL(file), options);
  const tsx = new URL('dist/esm/api/index.mjs', pathToFileURL(createRequire(file).resolve('tsx/package.json'))).href;
  const load = (url: string): string => `import(${JSON.stringify(url)})`;
  const program = `${load(tsx)}.then(({ register }) => register()).then(() => ${load(file)})`;
  return new Worker(program, { ...options, eval: true });
}

/** Whether a value survives the transfer to another thread. Buffers do: they arrive as bytes. */
function isPortable(value: unknown): boolean {
  if (value === null || ['undefined', 'string', 'number', 'boolean', 'bigint'].includes(typeof value)) return true;
  if (typeof value !== 'object') return false;
  if (value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isPortable);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isPortable);
}
