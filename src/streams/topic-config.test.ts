import { expect, test } from 'vitest';
import { connect, globalTable, joinTable, json, memoryTransport, run, string, table, to, topic } from '../index.ts';
import { thrown } from '../operators/operators.fixtures.ts';
import { MemoryLog } from '../transports/memory/index.ts';

const options = { key: string(), value: json<number>(), partitions: 2 };
const clicks = topic('clicks', { ...options, config: { retentionMs: -1 } });
const users = table('users', options);
const pages = globalTable('pages', { ...options, config: { maxMessageBytes: 2000 } });
const joined = topic('joined', { ...options, config: { retentionBytes: 1000 } });

test('topics that an application creates have the configuration that they were declared with', async () => {
  const log = new MemoryLog();
  const pipeline = clicks.pipe(
    joinTable(users, (left, right) => left + right),
    joinTable(pages, (left, right) => left + right, { key: (_, { key }) => key }),
    to(joined),
  );
  await run(pipeline, { applicationId: 'app', transport: memoryTransport(log), until: 'end' }).done;
  const config = (name: string) => log.describe(name)?.config;
  expect(config('clicks')).toMatchObject({ cleanup: 'delete', retentionMs: -1 });
  expect(config('users'), 'a table keeps the newest row of each key').toMatchObject({ cleanup: 'compact' });
  expect(config('pages')).toMatchObject({ cleanup: 'compact', maxMessageBytes: 2000 });
  expect(config('joined')).toMatchObject({ retentionBytes: 1000 });
});

test('a client creates them alike, and what it is told wins field by field', async () => {
  const log = new MemoryLog();
  const client = await connect({ transport: memoryTransport(log) });
  await client.publish(clicks, { key: 'a', value: 1 });
  await client.topics.create(pages, { config: { retentionMs: 5 } });
  await client.topics.create(joined, { partitions: 3 });
  await client.close();
  expect(log.describe('clicks')).toMatchObject({ partitions: 2, config: { retentionMs: -1 } });
  expect(log.describe('pages')?.config).toMatchObject({ cleanup: 'compact', maxMessageBytes: 2000, retentionMs: 5 });
  expect(log.describe('joined')).toMatchObject({ partitions: 3, config: { retentionBytes: 1000 } });
});

test('what is misspelt is said before what is missing because of it', () => {
  const made = (options: object) => thrown(() => topic('orders', options as never));
  expect(made({ key: string(), valu: json() })).toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining('topic orders has no option valu – did you mean value?'),
  });
  expect(made({ key: string() })).toMatchObject({ code: 'ERR_SERDE' });
  expect(thrown(() => topic('orders', undefined as never))).toMatchObject({ code: 'ERR_SERDE' });
});

test('the number of partitions is looked at where it is said', () => {
  for (const partitions of [0, -1, 1.5, '3', Number.NaN]) {
    for (const declare of [topic, table, globalTable] as const) {
      const { code, message } = thrown(() => declare('orders', { ...options, partitions: partitions as never }));
      expect(code).toBe('ERR_OPTION');
      expect(message).toMatch(/orders: partitions is .* – give a whole number, 1 or more/);
    }
  }
});

test('what a configuration says is looked at where it is said: times are numbers there, as the log has them', () => {
  const made = (config: object) => {
    const { code, message } = thrown(() => topic('orders', { ...options, config }));
    expect(code).toBe('ERR_TOPIC_CONFIG');
    return message;
  };
  expect(made({ retentionMs: '7d' })).toContain('retentionMs is "7d" – retentionMs must be a number');
  expect(made({ retentionMs: '7d' })).toContain('604800000 for "7d"');
  expect(made({ minCompactionLagMs: -1 })).toContain('must be milliseconds');
  expect(made({ maxMessageBytes: '1 MiB' })).toContain('a positive number of bytes');
  expect(made({ cleanup: 'compaction' })).toContain('"delete", "compact" or "compact,delete"');
  topic('orders', { ...options, config: { retentionMs: -1, cleanup: 'compact,delete' } });
});
