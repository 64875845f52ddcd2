import { describe, expect, it } from 'vitest';
import {
  countByKey,
  deadLetter,
  globalTable,
  joinTable,
  json,
  keyBy,
  type MillraceError,
  mapValues,
  memoryTransport,
  type Pipeline,
  type RunOptions,
  run,
  string,
  through,
  to,
  topic,
} from '../../index.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { MemoryLog } from '../../transports/memory/index.ts';
import { withoutState } from './changelog.fixtures.ts';
import { ConsumedRecords } from './consumed-records.ts';
import { ownerMark } from './own-topics.ts';

const source = topic('source', { key: string(), value: json<number>(), partitions: 1 });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>(), partitions: 1 });
const shuffled = (way = shuffle): Pipeline =>
  source.pipe(
    keyBy((n) => `k${n % 3}`),
    through(way),
    countByKey({ store: 'counts' }),
    to(out),
  );
const FOREVER = { retentionMs: -1, retentionBytes: -1 };

function setUp() {
  const log = new MemoryLog();
  const warnings: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (_: object, message: string) => void warnings.push(message),
    error() {},
  };
  log.create('source');
  const publish = (count: number): void => {
    const batch = new RecordBatchBuilder();
    for (let n = 0; n < count; n += 1) batch.append(n, 'a', String(n), []);
    log.append([log.prepare({ topic: 'source', partition: 0 }, batch)]);
  };
  const options: RunOptions = { applicationId: 'app', transport: memoryTransport(log), logger };
  const toEnd = (pipeline: Pipeline, more: Partial<RunOptions> = {}) =>
    run(pipeline, { ...options, until: 'end', ...more }).done;
  return { log, warnings, publish, options, toEnd };
}

async function turns(until: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !until(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a shuffle that an application makes', () => {
  it('is its own, and no retention takes what it has not read', async () => {
    const { log, toEnd, warnings } = setUp();
    await toEnd(shuffled());
    expect(log.describe('shuffle')?.config).toMatchObject({ ...FOREVER, owner: ownerMark('app'), cleanup: 'delete' });
    expect(log.describe('out')?.config.owner).toBeUndefined();
    expect(log.describe('out')?.config.retentionMs).toBe(7 * 24 * 3_600_000);
    expect(warnings).toEqual([]);
  });

  it('loses what was read and committed, some time later, and nothing else', async () => {
    const { log, options, publish } = setUp();
    const clock = new VirtualClock();
    const app = run(shuffled(), { ...options, clock });
    publish(10);
    const reach = (offset: number) =>
      turns(() => log.committed('app', [{ topic: 'shuffle', partition: 0 }])[0]?.offset === offset);
    await reach(10);
    expect(log.offsets('shuffle', 'earliest').get(0)).toBe(0);
    clock.advance(30_000);
    await turns(() => log.offsets('shuffle', 'earliest').get(0) === 10);
    expect(log.offsets('shuffle', 'earliest').get(0)).toBe(10);
    expect(log.offsets('source', 'earliest').get(0), 'the topic of others').toBe(0);
    publish(5);
    await reach(15);
    expect(log.offsets('shuffle', 'earliest').get(0)).toBe(10);
    await app.stop();
    expect(log.offsets('out', 'latest').get(0)).toBe(15);
  });

  it('keeps all of its records where others read it, or where it says how long', async () => {
    const { log, toEnd } = setUp();
    const rates = globalTable('rates', { key: string(), value: json<number>() });
    const byRates = topic('rates', { key: string(), value: json<number>(), partitions: 1 });
    await toEnd([
      source.pipe(through(byRates), to(out)),
      topic('others', { key: string(), value: json<number>(), partitions: 1 }).pipe(
        joinTable(rates, (n, rate) => n * rate, { key: (_, { key }) => key }),
        to(topic('joined', { key: string(), value: json<number>() })),
      ),
    ]);
    expect(log.describe('rates')?.config.owner).toBeUndefined();
    await toEnd(shuffled(topic('kept', { key: string(), value: json<number>(), config: { retentionMs: 1000 } })), {
      applicationId: 'other',
    });
    expect(log.describe('kept')?.config).toMatchObject({ retentionMs: 1000 });
    expect(log.describe('kept')?.config.owner).toBeUndefined();
  });

  it('that is there already stays as it is, with a warning that names the risk and the setting', async () => {
    const { log, publish, toEnd, warnings } = setUp();
    log.create('shuffle');
    publish(3);
    await toEnd(shuffled());
    expect(log.describe('shuffle')?.config.owner).toBeUndefined();
    expect(warnings).toEqual([
      "topic shuffle removes records after 168 hours, including those that the application has not read yet: keep them with client.topics.configure('shuffle', { retentionMs: -1, retentionBytes: -1 })",
    ]);
    log.configure('shuffle', FOREVER);
    await toEnd(shuffled());
    expect(warnings).toHaveLength(1);
  });

  it('is not for other applications, which are told so', async () => {
    const { toEnd, warnings } = setUp();
    await toEnd(shuffled());
    await toEnd(shuffle.pipe(to(topic('copy', { key: string(), value: json<number>() }))), { applicationId: 'other' });
    expect(warnings).toEqual([expect.stringContaining('topic shuffle was created by another application for itself')]);
  });
});

describe('what records of a shuffle were removed', () => {
  const places = { topic: 'shuffle', partition: 0, offset: 3 };

  async function explain(committed: number): Promise<MillraceError> {
    const { log } = setUp();
    log.create('shuffle');
    log.setCommitted('app', [{ topic: 'shuffle', partition: 0, offset: committed }]);
    const { MillraceError: Failure } = await import('../../errors.ts');
    const error = new Failure('fatal', 'ERR_OFFSET_OUT_OF_RANGE', 'gone', places);
    const transport = await memoryTransport(log)();
    const consumed = new ConsumedRecords(transport, new Map([['shuffle', undefined]]), new VirtualClock(), {} as never);
    const told: MillraceError[] = [];
    await consumed.report(error, 'app', (failure) => void told.push(failure));
    return told[0] as MillraceError;
  }

  it('means that another member has read them, or that they are lost', async () => {
    expect(await explain(8)).toMatchObject({ code: 'ERR_STALE_GENERATION', errorClass: 'migrated' });
    expect(await explain(3)).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE', errorClass: 'fatal' });
  });
});

describe('other topics that an application makes', () => {
  const poison = topic('source', { key: string(), value: json<{ n: number }>() }).pipe(
    mapValues(({ n }) => n.toFixed()),
    to(topic('texts', { key: string(), value: string() })),
  );

  it('keep dead letters for ever, or as long as their policy says', async () => {
    const { log, publish, toEnd } = setUp();
    publish(1);
    await toEnd(poison, { onRecordError: deadLetter('bad') });
    expect(log.describe('bad')?.config.retentionMs).toBe(-1);
    await toEnd(poison, { onRecordError: deadLetter('bad-90', { retention: '90d' }), applicationId: 'other' });
    expect(log.describe('bad-90')?.config.retentionMs).toBe(90 * 24 * 3_600_000);
    expect(() => deadLetter('bad', { retention: '90 days' as never })).toThrow(/ERR_DURATION|duration/);
    expect(() => deadLetter('bad', { retain: '90d' } as never)).toThrow(/retain/);
  });

  it('are warned of when they are there and remove records: dead letters, changelogs', async () => {
    const { log, toEnd, warnings } = setUp();
    log.create('bad');
    log.create('app-counts-changelog');
    const transport = withoutState(log, memoryStores(), true);
    await toEnd(source.pipe(countByKey({ store: 'counts' }), to(out)), { onRecordError: deadLetter('bad'), transport });
    expect(warnings).toEqual([
      expect.stringContaining('the changelog of store counts removes records after 168 hours'),
      expect.stringContaining('topic bad removes dead letters after 168 hours'),
    ]);
  });
});
