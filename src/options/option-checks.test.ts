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
  json,
  mapAsync,
  memoryTransport,
  run,
  string,
  table,
  to,
  topic,
  tumbling,
  windowBy,
} from '../index.ts';
import { thrown as refusal } from '../operators/operators.fixtures.ts';
import { TestDriver } from '../testing/index.ts';
import { embeddedTransport } from '../transports/embedded/index.ts';
import { kafkaTransport } from '../transports/kafka/index.ts';

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
    ['run', () => run(numbers, slip({ applicationId: 'a', from: 'earliest' })), 'did you mean startFrom?'],
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

describe('what is given in place of something else is named, with what to do', () => {
  it.each<[string, () => unknown, string]>([
    ['a serde that was not called', () => topic('t', { value: slip(string) }), 'call it: value: string()'],
    ['a key serde that was not called', () => topic('t', { ...serdes, key: slip(string) }), 'call it: key: string()'],
    ['no serde', () => topic('t', slip({})), "topic('t', { value: json() })"],
    ['something else', () => table('t', { ...serdes, value: slip({ parse: 1 }) }), 'an object with parse'],
    [
      'an aggregator that was not called',
      () => windowBy(minute, slip(agg.count), { store: 's' }),
      'call it: agg.count(',
    ],
  ])('%s', (_name, call, text) => {
    expect(call).toThrow(text);
  });

  it.each<[string, object, string]>([
    ['a text as header', { value: 1, headers: [['h', 'v']] }, 'the value of header "h" is "v"'],
    ['a header without a value', { value: 1, headers: [['h']] }, 'header 0 is an array of 1'],
    ['headers by name', { value: 1, headers: { h: 'v' } }, 'headers are an object with h'],
    ['a Date', { value: 1, timestamp: new Date(0) }, 'give its milliseconds: date.getTime()'],
    ['a bigint', { value: 1, timestamp: 5n }, 'the timestamp of the record is 5n'],
  ])('in a record: %s', async (_name, record, text) => {
    const client = await connect({ transport: memoryTransport() });
    const plain = topic('plain', { value: int32(), partitions: 1 });
    await expect(client.publish(plain, slip(record))).rejects.toThrow(text);
    await client.close();
  });

  it('records that come one after the other', async () => {
    const client = await connect({ transport: memoryTransport() });
    async function* later(): AsyncGenerator<object> {
      yield { key: 'a', value: 1 };
    }
    await expect(client.publishAll(numbers, slip(later()))).rejects.toThrow(/async iterable – .*for await/);
    await expect(client.publishAll(numbers, slip({ length: 1 }))).rejects.toThrow('an object with length');
    await client.close();
  });
});

describe('what is called later', () => {
  const source = topic('source', { value: json<number>() });
  const pipeline = source.pipe(to(topic('copy', { value: json<number>() })));
  const noop = (): void => undefined;

  it.each<[string, object, RegExp]>([
    [
      'a logger without error',
      { logger: { debug: noop, info: noop, warn: noop } },
      /logger has no method error – it needs/,
    ],
    ['a logger without debug', { logger: { error: noop, info: noop, warn: noop } }, /logger has no method debug/],
    ['no logger at all', { logger: 'pino' }, /logger is "pino"/],
    ['null for a logger', { logger: null }, /logger is null/],
    ['no clock', { clock: { now: Date.now } }, /clock has no method monotonic/],
  ])('is looked at when it is given: %s', async (_what, options, message) => {
    const refused = { code: 'ERR_OPTION', message: expect.stringMatching(message) as string };
    const transport = memoryTransport();
    expect(refusal(() => run(pipeline, { applicationId: 'a', transport, ...options }))).toMatchObject(refused);
    await expect(connect({ transport, ...options })).rejects.toMatchObject(refused);
  });

  it('takes console, and loggers that are functions', async () => {
    const callable = Object.assign(noop, { debug: noop, info: noop, warn: noop, error: noop });
    for (const logger of [console, callable]) await (await connect({ transport: memoryTransport(), logger })).close();
  });

  it('refuses a signal that is none', async () => {
    const transport = memoryTransport();
    const refused = { code: 'ERR_OPTION', message: expect.stringContaining('signal is 5') as string };
    const signal = 5 as never;
    expect(refusal(() => run(pipeline, { applicationId: 'a', transport, signal }))).toMatchObject(refused);
    const client = await connect({ transport });
    expect(refusal(() => client.records(source, { signal }))).toMatchObject(refused);
    await client.close();
  });
});

describe('where a log is', () => {
  it.each<[object, RegExp]>([
    [{ path: 5 }, /path is 5 – give a string/],
    [{ path: '' }, /path is ""/],
    [{ transport: 5 }, /transport was given 5/],
    [{ brokers: ['localhost:9092'], stateDir: 5 }, /stateDir is 5/],
  ])('is refused: %j', async (location, message) => {
    const source = topic('source', { value: json<number>() });
    const refused = { code: 'ERR_OPTION', message: expect.stringMatching(message) as string };
    expect(refusal(() => run(source, { applicationId: 'a', ...location }))).toMatchObject(refused);
    if (!('stateDir' in location)) await expect(connect(location)).rejects.toMatchObject(refused);
  });
});

describe('times and partitions to read', () => {
  it('are refused as they were given', async () => {
    const client = await connect({ transport: memoryTransport() });
    const source = topic('source', { value: json<number>() });
    for (const [options, message] of [
      [{ from: { time: '2026-01-01' } }, 'from.time is "2026-01-01" – give a Date: new Date("2026-01-01")'],
      [{ until: { time: '2026' } }, 'until.time is "2026" – give a Date'],
      [{ from: { time: new Date('none') } }, 'from.time is NaN'],
      [{ from: { time: 1.5 } }, 'from.time is 1.5'],
      [{ partitions: 2 }, 'partitions are 2 – give an array: { partitions: [0, 2] }'],
      [{ partitions: '2' }, 'partitions are "2"'],
    ] as const) {
      const error = refusal(() => client.records(source, options as never));
      expect(error).toMatchObject({ code: 'ERR_OPTION', message: expect.stringContaining(message) as string });
    }
    await expect(client.offsets(source, { time: '2026-01-01' } as never)).rejects.toMatchObject({ code: 'ERR_OPTION' });
    await client.close();
  });
});
