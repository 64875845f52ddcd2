import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  connect,
  json,
  keyValue,
  process,
  type RunOptions,
  run,
  type StreamRecord,
  string,
  to,
  topic,
} from '../../src/index.ts';
import { topicsOf } from './counting.ts';
import { killRounds, seen } from './kill-rounds.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-process-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it('says everything once, on records and on both clocks, when its process is killed', async () => {
  const log = { path: folder(), durability: 'commit' } as const;
  await killRounds(topicsOf('from', 'into'), log, { applicationId: 'counting' });
});

const source = topic('source', { key: string(), value: json<number>(), partitions: 1 });
const out = topic('out', { key: string(), value: json<number>() });

/** The sum of a key: when the key has been quiet for a while, on one clock or the other. */
const quiet = (clock: 'stream-time' | 'wall-clock', ms: number) =>
  source.pipe(
    process({
      name: 'quiet',
      stores: { sums: keyValue('sums', { value: json<number>() }) },
      timers: { quiet: clock },
      next({ timestamp, value }, { key, now, stores, timers }) {
        stores.sums.set(key, (stores.sums.get(key) ?? 0) + value);
        timers.quiet.set((clock === 'wall-clock' ? now : timestamp) + ms);
      },
      due: {
        quiet({ key }, { emit, stores }) {
          emit(stores.sums.get(key) ?? 0);
          stores.sums.delete(key);
        },
      },
    }),
    to(out),
  );

interface Started {
  publish(key: string, value: number, timestamp?: number): Promise<unknown>;
  rows(): Promise<string[]>;
  readonly options: RunOptions;
}

async function started(): Promise<Started> {
  const log = { path: folder(), durability: 'commit' } as const;
  const client = await connect(log);
  onTestFinished(() => client.close());
  await client.topics.create(source);
  await client.topics.create(out, { partitions: 1 });
  return {
    options: { ...log, applicationId: 'quiet' },
    publish: (key, value, timestamp = 0) => client.publish(source, { key, value, timestamp }),
    async rows() {
      const found: StreamRecord<string, number>[] = [];
      await client.records(out, { from: 'earliest', until: 'end' }).forEach((row) => found.push(row));
      return found.map(({ key, timestamp, value }) => `${key}=${value}@${timestamp}`);
    },
  };
}

it('keeps timers on stream time over runs, and fires them at the end of one that closes', async () => {
  const { options, publish, rows } = await started();
  const pipeline = quiet('stream-time', 10);
  await publish('a', 1, 0);
  await publish('b', 2, 1);
  await run(pipeline, { ...options, until: 'end' }).done;
  await publish('b', 3, 10);
  await run(pipeline, { ...options, until: 'end' }).done;
  expect(await rows()).toEqual(['a=1@10']);
  await run(pipeline, { ...options, until: 'end', openWindows: 'close' }).done;
  await run(pipeline, { ...options, until: 'end', openWindows: 'close' }).done;
  expect(await rows()).toEqual(['a=1@10', 'b=5@20']);
});

it('fires timers on the wall clock while nothing comes, and those that were due meanwhile after a start', async () => {
  const { options, publish, rows } = await started();
  const soon = quiet('wall-clock', 50);
  await publish('a', 1);
  const app = run(soon, options);
  await seen(async () => (await rows()).length === 1);
  await app.stop();
  // The second one is read in a run that ends before it is due.
  const later = quiet('wall-clock', 1_000);
  await publish('b', 2);
  await run(later, { ...options, until: 'end' }).done;
  expect(await rows()).toHaveLength(1);
  const again = run(later, options);
  await seen(async () => (await rows()).length === 2);
  await again.stop();
  expect((await rows()).map((row) => row.split('@')[0])).toEqual(['a=1', 'b=2']);
});
