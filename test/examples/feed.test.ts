import { connect, json, memoryTransport, run, string, topic } from 'millrace';
import { describe, expect, test } from 'vitest';
import { expectedOf } from '../../examples/clickstream/check.ts';
import { generateClicks, people } from '../../examples/clickstream/clicks.ts';
import {
  clicks,
  clicksPerMinute,
  funnel,
  lateClicks,
  pipeline,
  users,
  visits,
} from '../../examples/clickstream/pipeline.ts';
import { createTopics, feed, inChunks, recordCount } from '../../examples/shared/feed.ts';
import { compareRows } from '../../examples/shared/verdict.ts';
import { progressLines } from '../../src/terminal/watch.ts';

const never = new AbortController().signal;
const numbers = topic('numbers', { key: string(), value: json<number>(), partitions: 3 });
const records = Array.from({ length: 100 }, (_, n) => ({ key: `${n % 7}`, value: n, timestamp: n }));

describe('feed', () => {
  test('goes on with the chunk after those that were written, over all partitions', async () => {
    const client = await connect({ transport: memoryTransport() });
    await createTopics(client, [numbers]);
    const stop = new AbortController();
    const first = await feed(client, numbers, (from) => inChunks(records, 15, from), {
      signal: stop.signal,
      onChunk: (count) => {
        if (count >= 30) stop.abort();
      },
    });
    expect(first).toEqual({ before: 0, published: 30 });
    const second = await feed(client, numbers, (from) => inChunks(records, 15, from), { signal: never });
    expect(second).toEqual({ before: 30, published: 70 });
    expect(await recordCount(client, numbers)).toBe(100);

    const read: number[] = [];
    await client.records(numbers, { from: 'earliest', until: 'end' }).forEach(({ value }) => void read.push(value));
    expect(read.sort((a, b) => a - b)).toEqual(records.map(({ value }) => value));
    await client.close();
  });

  test('creates topics that keep their records', async () => {
    const client = await connect({ transport: memoryTransport() });
    await createTopics(client, [numbers]);
    await createTopics(client, [numbers]);
    expect(await client.topics.describe(numbers)).toMatchObject({ partitions: 3, config: { retentionMs: -1 } });
    await client.close();
  });
});

describe('a pipeline of the examples', () => {
  test('runs as well in memory, and its progress fits the screen', async () => {
    const transport = memoryTransport();
    const client = await connect({ transport });
    await createTopics(client, [clicks, users, clicksPerMinute, lateClicks, visits, funnel]);
    const rows = [...people].map(([key, value]) => ({ key, value, timestamp: 0 }));
    await feed(client, users, (from) => inChunks(rows, rows.length, from), { signal: never });
    const generated = generateClicks(6_000, 7);
    const published = generated.map(({ timestamp, value }) => ({ timestamp, value }));
    await feed(client, clicks, (from) => inChunks(published, 500, from), { signal: never });

    const app = run(pipeline, { applicationId: 'in-memory', transport, until: 'end', openWindows: 'close' });
    await app.done;
    const counted: [string, unknown][] = [];
    await client.records(clicksPerMinute, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      counted.push([`${key} ${value.minute}`, value]);
    });
    const visited: [string, unknown][] = [];
    await client.records(visits, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      visited.push([`${key} ${value.from}`, value]);
    });
    const expected = expectedOf(generated);
    expect(compareRows(expected.minutes, counted).first).toEqual([]);
    expect(compareRows(expected.visits, visited).first).toEqual([]);
    expect(await recordCount(client, lateClicks)).toBe(expected.late);
    expect(app.snapshot().late).toBe(expected.late);

    const narrow = { colour: false, live: true, width: 40 };
    const lines = progressLines(narrow, app.snapshot(), 1_234_567, { from: 0, to: 1 });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines.join('\n')).toContain('1,234,567 records/s');
    await client.close();
  });
});
