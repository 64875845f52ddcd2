import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  agg,
  globalTable,
  joinTable,
  json,
  memoryTransport,
  run,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): Promise<string> => readFile(`${root}${path}`, 'utf8');

/** Names in a text, without what Prometheus adds for histograms. */
const namesIn = (text: string, exported: ReadonlyMap<string, string>): string[] => {
  return [...new Set(text.match(/\bmillrace_[a-z_]+/g))].map((name) => {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    return exported.get(base) === 'histogram' ? base : name;
  });
};

describe('what is said of metrics', () => {
  /** Types by name. */
  let exported: ReadonlyMap<string, string>;

  beforeAll(async () => {
    const orders = topic('orders', { key: string(), value: json<number>(), partitions: 1 });
    const rates = globalTable('rates', { key: string(), value: json<number>(), partitions: 1 });
    const pipeline = orders.pipe(
      joinTable(rates, (order) => order, { key: () => 'x', type: 'left' }),
      windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }),
      to(topic('out', { key: string(), value: json<number>() })),
    );
    const app = run(pipeline, { applicationId: 'a', transport: memoryTransport(), logger: false });
    await app.ready;
    exported = new Map(app.metrics().map(({ name, type }) => [name, type]));
    await app.stop();
  });

  it('the table has every metric, with its type, and no other', async () => {
    const rows = (await read('docs/monitoring.md')).matchAll(/^\| `(millrace_\w+)` \| (\w+) \|/gm);
    expect(Object.fromEntries(Array.from(rows, ([, name, type]) => [name, type]))).toEqual(
      Object.fromEntries(exported),
    );
  });

  it.each(['docs/monitoring.md', 'docs/grafana-dashboard.json'])('%s asks for nothing else', async (path) => {
    const names = namesIn(await read(path), exported);
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
  });

  it('every chart and alert that asks for buckets asks a histogram, and rates are those of counters', async () => {
    const text = `${await read('docs/monitoring.md')}${await read('docs/grafana-dashboard.json')}`;
    for (const [, name] of text.matchAll(/\b(millrace_\w+)_bucket\b/g))
      expect(exported.get(name ?? '')).toBe('histogram');
    for (const [, name = ''] of text.matchAll(/\b(?:rate|increase)\((millrace_\w+)/g)) {
      expect(exported.get(name.replace(/_bucket$/, '')), name).toMatch(/counter|histogram/);
    }
  });
});
