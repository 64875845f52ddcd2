import { afterEach, describe, expect, it, vi } from 'vitest';
import { agg, aggregate, json, memoryTransport, run, string, to, topic } from '../../index.ts';
import { noLogger } from '../../log/logger.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { TopicReader } from '../../testing/topic-reader.ts';
import { MemoryLog } from '../../transports/memory/index.ts';
import { withoutState } from './changelog.fixtures.ts';
import { Changelog, type RestoreProgress } from './changelog.ts';

const numbers = topic('numbers', { key: string(), value: json<number>(), partitions: 2 });
const sums = topic('sums', { key: string(), value: json<number>() });
const pipeline = numbers.pipe(
  aggregate(
    agg.sum((n) => n),
    { store: 'sums' },
  ),
  to(sums),
);

function publish(log: MemoryLog, values: readonly number[]): void {
  log.create('numbers', { partitions: 2, ifMissing: true });
  for (const partition of [0, 1]) {
    const batch = new RecordBatchBuilder();
    for (const value of values) batch.append(1000, `key-${partition}`, String(value), []);
    log.append([log.prepare({ topic: 'numbers', partition }, batch)]);
  }
}

async function runToEnd(
  log: MemoryLog,
  local: StoreBackend,
  atomicCommit: boolean,
  tombstoneMs?: number,
): Promise<void> {
  const transport = withoutState(log, local, atomicCommit, undefined, tombstoneMs);
  await run(pipeline, { applicationId: 'app', transport, until: 'end' }).done;
}

function last(log: MemoryLog): Record<string, number | null> {
  const records = new TopicReader(log, 'sums').read(sums);
  return Object.fromEntries(records.map(({ key, value }) => [key, value]));
}

const HOUR = 3_600_000;
const store = { applicationId: 'app', store: 'sums' };

afterEach(() => void vi.useRealTimers());

describe.each([
  ['atomic commits', true],
  ['commits that are not atomic', false],
])('state on a log that does not keep it, with %s', (_name, atomic) => {
  it('is continued from the local stores', async () => {
    const log = new MemoryLog();
    const local = memoryStores();
    publish(log, [1, 2]);
    await runToEnd(log, local, atomic);
    publish(log, [3]);
    await runToEnd(log, local, atomic);
    expect(last(log)).toEqual({ 'key-0': 6, 'key-1': 6 });
    expect(log.describe('app-sums-changelog')).toMatchObject({ partitions: 2, config: { cleanup: 'compact' } });
  });

  it('is rebuilt from the changelog where the local stores are gone', async () => {
    const log = new MemoryLog();
    publish(log, [1, 2]);
    await runToEnd(log, memoryStores(), atomic);
    publish(log, [3]);
    const fresh = memoryStores();
    await runToEnd(log, fresh, atomic);
    expect(last(log)).toEqual({ 'key-0': 6, 'key-1': 6 });
    const rows = [...fresh.open({ applicationId: 'app', store: 'sums', partition: 0 }).range()];
    expect(rows).toHaveLength(1);
  });

  it('is continued if the local stores are behind, and restarted if they belong to another log', async () => {
    const log = new MemoryLog();
    const behind = memoryStores();
    publish(log, [1]);
    await runToEnd(log, behind, atomic);
    publish(log, [2]);
    await runToEnd(log, memoryStores(), atomic);
    publish(log, [3]);
    await runToEnd(log, behind, atomic);
    expect(last(log)).toEqual({ 'key-0': 6, 'key-1': 6 });
    const other = new MemoryLog();
    publish(other, [10]);
    await runToEnd(other, behind, atomic);
    expect(last(other)).toEqual({ 'key-0': 10, 'key-1': 10 });
  });

  it('is rebuilt where the changelog may have forgotten deletions since', async () => {
    const log = new MemoryLog();
    const local = memoryStores();
    const rows = (): number =>
      [0, 1].reduce((sum, partition) => sum + [...local.open({ ...store, partition }).range()].length, 0);
    publish(log, [1]);
    await runToEnd(log, local, atomic);
    local.apply([{ id: { ...store, partition: 0 }, keys: [Uint8Array.of(9)], values: [Uint8Array.of(9)] }]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * HOUR });
    publish(log, [2]);
    await runToEnd(log, local, atomic);
    expect(rows()).toBe(3);
    // Another process goes on meanwhile, so the changelog grows.
    publish(log, [3]);
    await runToEnd(log, memoryStores(), atomic);
    vi.setSystemTime(Date.now() + 13 * HOUR);
    await runToEnd(log, local, atomic);
    expect(rows()).toBe(2);
    publish(log, [4]);
    await runToEnd(log, local, atomic);
    expect(last(log)).toEqual({ 'key-0': 10, 'key-1': 10 });
  });

  it('is rebuilt where its topic forgets deletions earlier than others do', async () => {
    const log = new MemoryLog();
    const local = memoryStores();
    const rows = (): number => [...local.open({ ...store, partition: 0 }).range()].length;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    publish(log, [1]);
    await runToEnd(log, local, atomic, 60_000);
    local.apply([{ id: { ...store, partition: 0 }, keys: [Uint8Array.of(9)], values: [Uint8Array.of(9)] }]);
    // Another process goes on meanwhile, so the changelog grows.
    publish(log, [2]);
    await runToEnd(log, memoryStores(), atomic, 60_000);
    vi.setSystemTime(Date.now() + 29_000);
    await runToEnd(log, local, atomic, 60_000);
    expect(rows()).toBe(2);
    publish(log, [3]);
    await runToEnd(log, memoryStores(), atomic, 60_000);
    vi.setSystemTime(Date.now() + 31_000);
    await runToEnd(log, local, atomic, 60_000);
    expect(rows()).toBe(1);
  });

  it('is refused to a step that means something else, also where only the changelog is left', async () => {
    const log = new MemoryLog();
    const local = memoryStores();
    publish(log, [1]);
    await runToEnd(log, local, atomic);
    const changed = numbers.pipe(aggregate(agg.count(), { store: 'sums' }), to(sums));
    for (const stores of [local, memoryStores()]) {
      const app = run(changed, { applicationId: 'app', transport: withoutState(log, stores, atomic), until: 'end' });
      await expect(app.done).rejects.toMatchObject({
        code: 'ERR_STORE_INCOMPATIBLE',
        message: expect.stringContaining('"aggregate sum"') as string,
      });
    }
  });
});

describe('a changelog of which a transaction holds the first record back', () => {
  async function heldBack() {
    const log = new MemoryLog();
    log.create('app-sums-changelog', { partitions: 1 });
    const inner = await memoryTransport(log)();
    const transport = new Proxy(inner, {
      get(target, name) {
        if (name === 'offsets') return async (_: string, query: string) => new Map([[0, query === 'written' ? 1 : 0]]);
        const member: unknown = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const stores = memoryStores();
    const changelog = new Changelog(transport, stores, 'app', new Map(), () => 0, noLogger);
    const told: RestoreProgress[] = [];
    const restored = changelog.restore([{ stores: [{ ...store, partition: 0 }], committed: new Map() }], (progress) =>
      told.push(progress),
    );
    await vi.waitFor(() => expect(told).toEqual([{ store: 'sums', partition: 0, restored: 0, total: 1 }]));
    const append = (): void => {
      const batch = new RecordBatchBuilder();
      batch.append(0, 'key', 'value', []);
      log.append([log.prepare({ topic: 'app-sums-changelog', partition: 0 }, batch)]);
    };
    const stored = () => stores.open({ ...store, partition: 0 }).get(new TextEncoder().encode('key'));
    return { changelog, restored, told, append, stored };
  }

  it('is said to be waited for, and read when it comes', async () => {
    const { restored, told, append, stored } = await heldBack();
    append();
    await restored;
    expect(told.at(-1)).toMatchObject({ restored: 1 });
    expect(stored()).toEqual(new TextEncoder().encode('value'));
  });

  it('is not waited for when it is closed, and what comes then leaves the store alone', async () => {
    const { changelog, restored, told, append, stored } = await heldBack();
    append();
    changelog.close();
    await restored;
    expect(told.length).toBe(1);
    expect(stored()).toBeUndefined();
  });
});
