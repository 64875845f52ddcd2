import { describe, expect, it } from 'vitest';
import {
  agg,
  aggregate,
  ConfigError,
  connect,
  globalTable,
  hopping,
  int32,
  joinTable,
  mapAsync,
  memoryTransport,
  string,
  table,
  to,
  topic,
  tumbling,
  windowBy,
} from './index.ts';
import { TestDriver } from './testing/index.ts';
import { embeddedTransport } from './transports/embedded/index.ts';
import { kafkaTransport } from './transports/kafka/index.ts';

const serdes = { key: string(), value: int32() };
const numbers = topic('numbers', serdes);
const users = table('users', serdes);
const minute = tumbling({ size: '1m', grace: '0s' });
/** An object that the compiler does not look into. */
const slip = (options: object): never => options as never;

describe('an option that does not exist is refused, with the one that may have been meant', () => {
  it.each<[string, () => unknown, string]>([
    ['topic', () => topic('t', slip({ ...serdes, partitons: 3 })), 'did you mean partitions?'],
    ['its config', () => topic('t', slip({ ...serdes, config: { 'retention.ms': 1 } })), 'did you mean retentionMs?'],
    ['table', () => table('t', slip({ ...serdes, stor: 's' })), 'did you mean store?'],
    ['globalTable', () => globalTable('t', slip({ ...serdes, store: 's' })), 'its options are'],
    ['to', () => to(numbers, slip({ header: () => [] })), 'did you mean headers?'],
    ['tumbling', () => tumbling(slip({ size: '1m', grace: '0s', advance: '1s' })), 'its options are size, grace'],
    ['hopping', () => hopping(slip({ size: '1m', advance: '1s', graze: '0s' })), 'did you mean grace?'],
    ['windowBy', () => windowBy(minute, agg.count(), slip({ store: 's', emitt: 'updates' })), 'did you mean emit?'],
    ['aggregate', () => aggregate(agg.count(), slip({ store: 's', emit: 'updates' })), 'its options are store'],
    ['joinTable', () => joinTable(users, (a, b) => [a, b], slip({ key: () => 'k' })), 'its options are type'],
    ['mapAsync', () => mapAsync(async (n: number) => n, slip({ retrys: 3 })), 'did you mean retries?'],
    ['TestDriver', () => new TestDriver(numbers, slip({ partition: 3 })), 'did you mean partitions?'],
    [
      'embeddedTransport',
      () => embeddedTransport(slip({ path: 'p', durabilty: 'memory' })),
      'did you mean durability?',
    ],
    ['kafkaTransport', () => kafkaTransport(slip({ brokers: ['b:1'], clientID: 'x' })), 'did you mean clientId?'],
    [
      'its user',
      () => kafkaTransport({ brokers: ['b:1'], sasl: slip({ mechanism: 'plain', user: 'u', password: 'p' }) }),
      'its options are mechanism, username, password',
    ],
  ])('%s', (_name, call, hint) => {
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', hint: expect.stringContaining(hint) as string }),
    );
  });

  it('in the administration of topics', async () => {
    const client = await connect({ transport: memoryTransport() });
    const refused = { code: 'ERR_OPTION' };
    await expect(client.topics.create('t', slip({ partition: 3 }))).rejects.toMatchObject(refused);
    await expect(client.topics.create('t', { config: slip({ retention: 3 }) })).rejects.toMatchObject(refused);
    await client.topics.create('t');
    await expect(client.topics.configure('t', slip({ cleanUp: 'compact' }))).rejects.toMatchObject(refused);
    await client.close();
  });
});

describe('a value that cannot be is refused', () => {
  it.each<[string, () => unknown, string]>([
    ['a kind of join', () => joinTable(users, (a, b) => [a, b], slip({ type: 'outer' })), "'inner', 'left'"],
    ['a durability', () => embeddedTransport(slip({ path: 'p', durability: 'disk' })), "'fsync', 'commit', 'memory'"],
    [
      'a password that is not there',
      () =>
        kafkaTransport({ brokers: ['b:1'], sasl: slip({ mechanism: 'plain', username: 'u', password: undefined }) }),
      'give the password as a text',
    ],
  ])('%s', (_name, call, hint) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', hint: expect.stringContaining(hint) as string }),
    );
  });
});
