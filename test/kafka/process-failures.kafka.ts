import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { checkHistory, type HistoryEvent, type PublishedEvent, type ReadEvent } from '../../src/testing/index.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, readAll, unique, until, values, valuesOf } from '../contract/support.ts';
import type { Copied } from './copier.ts';

const script = fileURLToPath(new URL('./copier-child.ts', import.meta.url));
const sessionTimeoutMs = 3000;
const PARTITIONS = 4;

interface Child {
  readonly process: ChildProcess;
  copied: number;
  /** What it has said of its commits. */
  readonly processed: HistoryEvent[];
  joined: boolean;
  readonly troubles: string[];
}

const children: Child[] = [];
const running = (): Child[] =>
  children.filter(({ process: { exitCode, signalCode } }) => exitCode === null && signalCode === null);

function launch(options: { readonly from: string; readonly to: string }): Child {
  const by = `process ${children.length}`;
  const child: Child = {
    process: spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
    copied: 0,
    processed: [],
    joined: false,
    troubles: [],
  };
  createInterface({ input: child.process.stdout! }).on('line', (line) => {
    const [, records, copied] = /^copied (\d+) (.*)$/.exec(line) ?? [];
    if (copied !== undefined) {
      child.copied += Number(records);
      child.processed.push(...processedBy(by, options.from, JSON.parse(copied) as Copied[]));
    } else if (line === 'joined') child.joined = true;
    else child.troubles.push(line);
  });
  children.push(child);
  return child;
}

function processedBy(by: string, topic: string, copied: readonly Copied[]): HistoryEvent[] {
  return copied.flatMap(({ offsets, partition }) =>
    offsets.map((offset) => ({ type: 'processed', topic, partition, offset, by }) as const),
  );
}

const ended = (child: Child): Promise<unknown> =>
  new Promise((resolve) => {
    if (!running().includes(child)) resolve(undefined);
    else child.process.once('exit', resolve);
  });

afterEach(async () => {
  for (const child of running()) child.process.kill('SIGKILL');
  await Promise.all(children.splice(0).map(ended));
});

describe('two processes that share a topic', () => {
  it.each([
    ['exactly-once', 6, 2],
    ['at-least-once', 3, 1],
  ] as const)(
    '%s: %d are killed and %d stopped for longer than a session',
    { timeout: 300_000 },
    async (guarantee, kills, stops) => {
      const brokers = inject('brokers');
      const transport = await kafkaTransport({ brokers })();
      const [from, to, groupId] = [unique('from'), unique('to'), unique('copy')];
      await transport.topics.create(from, { partitions: PARTITIONS });
      await transport.topics.create(to, { partitions: PARTITIONS });
      const options = { brokers, guarantee, groupId, from, to, partitions: PARTITIONS, sessionTimeoutMs };
      const start = async (): Promise<Child> => {
        const child = launch(options);
        await until('a process to join', () => child.joined, 60_000);
        return child;
      };
      const pair = await Promise.all([start(), start()]);

      const producer = transport.producer();
      const feed = { sent: 0, stop: false };
      const published: (PublishedEvent & { readonly partition: number; readonly offset: number })[] = [];
      const feeding = (async () => {
        while (!feed.stop) {
          const list = values(...Array.from({ length: 5 }, (_, i) => String(feed.sent + i)));
          const [written] = await producer.send([batch(from, (feed.sent / 5) % PARTITIONS, list)]);
          const { baseOffset, partition } = written!;
          for (let i = 0; i < 5; i++) {
            const [id, offset] = [feed.sent + i, baseOffset + i];
            published.push({ type: 'published', topic: from, id, writer: `feed ${partition}`, partition, offset });
          }
          feed.sent += 5;
          await pause(5);
        }
      })();
      const copied = (): number => children.reduce((sum, child) => sum + child.copied, 0);
      const resumed: number[] = [];
      for (let round = 0; round < kills + stops; round++) {
        const before = copied();
        await until('both to go on', () => copied() > before + 100, 30_000);
        await pause(Math.random() * 300);
        const victim = pair[round % 2]!;
        const since = performance.now();
        if (round < kills) {
          victim.process.kill('SIGKILL');
          await ended(victim);
          // The other one takes all partitions over.
          pair[round % 2] = await start();
        } else {
          victim.process.kill('SIGSTOP');
          await pause(sessionTimeoutMs * 1.5);
          victim.process.kill('SIGCONT');
        }
        const target = feed.sent;
        await until('everything sent so far to be copied', () => copied() >= target, 60_000).catch(() => undefined);
        await complete(transport, to, target);
        resumed.push(Math.round(performance.now() - since));
      }
      feed.stop = true;
      await feeding;
      const all = (await complete(transport, to, feed.sent)).sort((a, b) => a - b);
      for (const child of running()) child.process.kill('SIGTERM');
      await Promise.all(pair.map(ended));
      const reads = await Promise.all(
        Array.from({ length: PARTITIONS }, async (_, partition) =>
          (await readAll(transport, to, partition)).map(({ offset, value }): ReadEvent => {
            return { type: 'read', topic: to, partition, offset, id: Number(value) };
          }),
        ),
      );
      const said = new Map(children.flatMap(({ processed }) => processed).map((event) => [placeOf(event), event]));
      const seen = new Set(reads.flat().map(({ id }) => id));
      // Who was killed has not said all that it had committed: what can be read was.
      const unsaid = published.filter((event) => !said.has(placeOf(event)) && seen.has(event.id));
      const history: HistoryEvent[] = [
        ...published,
        ...children.flatMap(({ processed }) => processed),
        ...unsaid.map(({ offset, partition }) => ({ type: 'processed', topic: from, partition, offset }) as const),
        // A copy is written by whoever has processed its record.
        ...published.map(
          ({ id, partition }) => ({ type: 'published', topic: to, id, writer: `copy ${partition}` }) as const,
        ),
        ...reads.flat(),
      ];
      const allowed = guarantee === 'exactly-once' ? [] : ['duplicate'];
      expect(checkHistory(history).filter(({ kind }) => !allowed.includes(kind))).toEqual([]);
      const expected = Array.from({ length: feed.sent }, (_, n) => n);
      if (guarantee === 'exactly-once') expect(all).toEqual(expected);
      else expect([...new Set(all)]).toEqual(expected);
      console.log(`${guarantee}: ${feed.sent} records, caught up after ${resumed.join(', ')} ms`);
      await producer.close();
      await transport.close();
    },
  );
});

const placeOf = (event: HistoryEvent): string =>
  event.type === 'published' || event.type === 'processed' ? `${event.partition}@${event.offset}` : '';

/** Reads the copies until the numbers up to a count are all there. */
async function complete(transport: Parameters<typeof readAll>[0], topic: string, count: number): Promise<number[]> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const lists = await Promise.all(Array.from({ length: PARTITIONS }, (_, i) => readAll(transport, topic, i)));
    const seen = lists.flatMap((rows) => valuesOf(rows).map(Number));
    const distinct = new Set(seen);
    let first = 0;
    while (distinct.has(first)) first++;
    if (first >= count) return seen;
    if (performance.now() > deadline) {
      const troubles = children.flatMap((child) => child.troubles.slice(-3));
      throw new Error(`number ${first} of ${count} has not arrived\n${troubles.join('\n')}`);
    }
    await pause(50);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
