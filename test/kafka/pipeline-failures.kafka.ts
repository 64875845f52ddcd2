import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Producer, Transport } from '../../src/runtime/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, readAll, unique, until } from '../contract/support.ts';
import { randomNumbers } from '../random.ts';
import { cluster, ownCluster } from './cluster.ts';
import type { WindowsOptions } from './windows-child.ts';

const script = fileURLToPath(new URL('./windows-child.ts', import.meta.url));
const sessionTimeoutMs = 3000;
const RESUME_MS = 15_000;
const PARTITIONS = [0, 1];
const WINDOW_MS = 600_000;
const USERS = Array.from({ length: 20 }, (_, i) => `user-${i}`);
/** Events are a second apart: faults of several seconds stay far below the grace of six hours. */
const EVENT_MS = 1000;
/** `MILLRACE_FAULTS=full` has as many faults as it takes to trust it, and takes some ten minutes. */
const full = process.env['MILLRACE_FAULTS'] === 'full';

class Worker {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly waits = new Set<string>();
  commits = 0;
  late = 0;

  constructor(options: WindowsOptions) {
    this.process = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      if (line.startsWith('commits ')) this.commits = Number(line.slice(8));
      else if (line.startsWith('late ')) this.late = Number(line.slice(5));
      else if (line.startsWith('waits for ')) this.waits.add(line.slice(10));
    });
    workers.push(this);
  }
}

const workers: Worker[] = [];

afterEach(async () => {
  for (const worker of workers) worker.process.kill('SIGKILL');
  await Promise.all(workers.splice(0).map((worker) => worker.ended));
});

/** Publishes events without a pause, and knows what the windows must say. */
class Feed {
  readonly expected = new Map<string, number>();
  readonly sent = [0, 0];
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #random = randomNumbers();
  readonly #running: Promise<void>;
  #time = Math.floor((Date.now() - 48 * 3_600_000) / WINDOW_MS) * WINDOW_MS;
  #stopped = false;

  constructor(transport: Transport, topic: string) {
    this.#producer = transport.producer();
    this.#topic = topic;
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Resolves when everything is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Closes all windows, by a record of each user. Whatever is behind it in the shuffle would be late. */
  async close(): Promise<void> {
    const end = this.#time + 12 * 3_600_000;
    await this.#send(
      0,
      USERS.map((user) => ({ user, timestamp: end })),
    );
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      for (const partition of PARTITIONS) {
        const events = Array.from({ length: 5 }, () => {
          const user = USERS[Math.floor(this.#random() * USERS.length)]!;
          return { user, timestamp: (this.#time += EVENT_MS) };
        });
        await this.#send(partition, events);
        for (const { user, timestamp } of events) {
          const window = `${user}@${timestamp - (timestamp % WINDOW_MS)}`;
          this.expected.set(window, (this.expected.get(window) ?? 0) + 1);
        }
      }
      await pause(20);
    }
  }

  async #send(
    partition: number,
    events: readonly { readonly user: string; readonly timestamp: number }[],
  ): Promise<void> {
    const rows = events.map(({ user, timestamp }) => ({ value: JSON.stringify({ user }), timestamp }));
    await this.#producer.send([batch(this.#topic, partition, rows)]);
    this.sent[partition] = (this.sent[partition] as number) + events.length;
  }
}

describe('a windowed count behind a shuffle, in two processes', () => {
  const scenario = async (
    guarantee: WindowsOptions['guarantee'],
    faults: (pair: Worker[], start: () => Promise<Worker>, resumed: () => Promise<void>) => Promise<void>,
  ): Promise<void> => {
    const brokers = inject('brokers');
    const transport = await kafkaTransport({ brokers })();
    const [from, by, into, applicationId] = [unique('events'), unique('by-user'), unique('counts'), unique('app')];
    for (const topic of [from, by, into]) await transport.topics.create(topic, { partitions: 2 });
    const options = { brokers, guarantee, applicationId, from, by, into, sessionTimeoutMs };
    const start = async (): Promise<Worker> => {
      const worker = new Worker(options);
      await until('a process to commit', () => worker.commits > 0, 60_000);
      return worker;
    };
    const feed = new Feed(transport, from);
    const pair = [await start(), new Worker(options)];
    const times: number[] = [];
    /** Waits until everything that has been published so far is committed; that nothing moves is a failure. */
    const resumed = async (): Promise<void> => {
      const since = performance.now();
      const goal = [...feed.sent];
      const places = PARTITIONS.map((partition) => ({ topic: from, partition }));
      for (;;) {
        const committed = await transport.committed(applicationId, places);
        const offsetOf = (partition: number): number =>
          committed.find((place) => place.partition === partition)?.offset ?? 0;
        if (PARTITIONS.every((partition) => offsetOf(partition) >= goal[partition]!)) break;
        if (performance.now() - since > RESUME_MS) {
          const waits = workers.flatMap((worker) => [...worker.waits].slice(-5));
          throw new Error(`nothing has moved for ${RESUME_MS} ms: ${JSON.stringify({ goal, committed, waits })}`);
        }
        await pause(20);
      }
      times.push(Math.round(performance.now() - since));
    };
    await resumed();
    times.length = 0;
    await faults(pair, start, resumed);
    await feed.stop();
    await resumed();
    times.pop();
    await feed.close();
    const rows = async (): Promise<(readonly [string, number])[]> => {
      const lists = await Promise.all(PARTITIONS.map((partition) => readAll(transport, into, partition)));
      return lists.flat().map(({ key, value }) => {
        const { count, window } = JSON.parse(value!) as { readonly count: number; readonly window: number };
        return [`${key}@${window}`, count] as const;
      });
    };
    let found = await rows();
    for (const deadline = performance.now() + 60_000; performance.now() < deadline; found = await rows()) {
      if (new Set(found.map(([window]) => window)).size >= feed.expected.size) break;
      await pause(100);
    }
    const sorted = (entries: Iterable<readonly [string, number]>): (readonly [string, number])[] =>
      [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    expect(
      workers.reduce((sum, worker) => sum + worker.late, 0),
      'records that came too late',
    ).toBe(0);
    if (guarantee === 'exactly-once') expect(sorted(found)).toEqual(sorted(feed.expected));
    else {
      const most = new Map<string, number>();
      for (const [window, count] of found) most.set(window, Math.max(count, most.get(window) ?? 0));
      const lost = [...feed.expected].filter(([window, count]) => (most.get(window) ?? 0) < count);
      expect(lost, 'windows with less than was published').toEqual([]);
    }
    const waits = new Set(workers.flatMap((worker) => [...worker.waits].map((text) => text.replace(/\d+/g, 'N'))));
    expect(waits.size, 'it said what it waited for').toBeGreaterThan(0);
    times.sort((a, b) => a - b);
    const events = feed.sent.reduce((sum, count) => sum + count, 0);
    console.log(
      `${guarantee}: ${events} events, ${feed.expected.size} windows, ${times.length} faults, resumed after ` +
        `${times[times.length >> 1]} ms (median), ${times.at(-1)} ms (most)\n  ${[...waits].sort().join('\n  ')}`,
    );
    await transport.close();
  };

  it.each([
    ['exactly-once', full ? 50 : 4, full ? 10 : 1],
    ['at-least-once', full ? 10 : 2, full ? 3 : 1],
  ] as const)(
    '%s: %d are killed and %d stopped for longer than a session',
    { timeout: 1_800_000 },
    (guarantee, kills, stops) =>
      scenario(guarantee, async (pair, start, resumed) => {
        for (let round = 0; round < kills + stops; round++) {
          await pause(Math.random() * 500);
          const victim = pair[round % 2]!;
          if (round < kills) {
            victim.process.kill('SIGKILL');
            await victim.ended;
            pair[round % 2] = await start();
          } else {
            victim.process.kill('SIGSTOP');
            await pause(sessionTimeoutMs * 1.5);
            victim.process.kill('SIGCONT');
          }
          await resumed();
        }
      }),
  );

  it.runIf(ownCluster)(
    'exactly-once: the broker is restarted, and killed amid transactions',
    { timeout: 900_000 },
    () =>
      scenario('exactly-once', async (_pair, _start, resumed) => {
        const own = await cluster();
        for (let round = 0; round < (full ? 15 : 2); round++) {
          await pause(Math.random() * 500);
          if (round % 3 === 0) await own.stop();
          else await own.kill();
          await own.restart();
          await resumed();
        }
      }),
  );
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
