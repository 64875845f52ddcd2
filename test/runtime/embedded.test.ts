import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agg, connect, json, keyBy, mapAsync, run, string, through, to, topic, tumbling, windowBy } from 'millrace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from './support.ts';

const source = topic('source', { key: string(), value: json<number>(), partitions: 2 });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const pipeline = source.pipe(
  keyBy((n) => `k${n % 3}`),
  through(shuffle),
  windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }),
  mapAsync(async (n) => n),
  to(out),
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-runtime-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function publish(values: readonly number[]): Promise<void> {
  await using client = await connect({ path: folder, durability: 'commit' });
  for (const value of values) await client.publish(source, { key: `s${value}`, value, timestamp: value });
}

async function rows(): Promise<number[]> {
  await using client = await connect({ path: folder, durability: 'commit' });
  const found: number[] = [];
  await new Promise<void>((resolve, reject) => {
    client.records(out, { from: 'earliest', until: 'end' }).subscribe({
      next: ({ value }) => found.push(value),
      error: reject,
      complete: resolve,
    });
  });
  return found;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const options = { applicationId: 'app', durability: 'commit' } as const;

describe('an application on the embedded log', () => {
  it('keeps open windows over runs, repeats nothing, and closes them when told to', async () => {
    await using client = await connect({ path: folder, durability: 'commit' });
    await client.topics.create('source', { partitions: 2 });
    await client.close();
    await publish([1, 2, 3, 4]);
    await run(pipeline, { ...options, path: folder, until: 'end' }).done;
    await publish([5, 6]);
    const app = run(pipeline, { ...options, path: folder });
    await until('all is read', () => app.snapshot().recordsIn >= 4 && app.snapshot().lag === 0);
    expect(app.snapshot()).toMatchObject({ kind: 'embedded', guarantee: 'exactly-once' });
    await app.stop();
    await run(pipeline, { ...options, path: folder, until: 'end', openWindows: 'close' }).done;
    expect(sum(await rows())).toBe(6);
    await run(pipeline, { ...options, path: folder, until: 'end', openWindows: 'close' }).done;
    expect(sum(await rows())).toBe(6);
  });

  it('refuses a step that reads its store as something else, and says so', async () => {
    await publish([]);
    const window = (size: '1m' | '2m') =>
      source.pipe(windowBy(tumbling({ size, grace: '0s' }), agg.count(), { store: 'counts' }), to(out));
    await run(window('1m'), { ...options, path: folder, until: 'end' }).done;
    await publish([1]);
    await run(window('1m'), { ...options, path: folder, until: 'end' }).done;
    const error = await run(window('2m'), { ...options, path: folder, until: 'end' }).done.catch(
      (failure: unknown) => failure,
    );
    expect(error).toMatchObject({ code: 'ERR_STORE_INCOMPATIBLE', errorClass: 'store' });
  });

  it('opens again after a stop at any moment', async () => {
    await run(pipeline, { ...options, path: folder, until: 'end' }).done;
    await publish([1, 2, 3]);
    for (let turn = 0; turn < 12; turn += 1) {
      const app = run(pipeline, { ...options, path: folder });
      for (let wait = 0; wait < turn; wait += 1) await new Promise((resolve) => setImmediate(resolve));
      await app.stop();
      expect(app.snapshot().state).toBe('stopped');
    }
    await run(pipeline, { ...options, path: folder, until: 'end', openWindows: 'close' }).done;
    expect(sum(await rows())).toBe(3);
  });
});
