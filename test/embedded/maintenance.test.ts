import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TopicConfig } from '../../src/log/transport.ts';
import type { Compression } from '../../src/protocol/compression.ts';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { MemoryLog, memoryTransport } from '../../src/transports/memory/index.ts';
import { readAll, rowsOf, send, values, valuesOf, watch } from '../contract/support.ts';
import { folder } from './children.ts';

const DAY = 24 * 60 * 60 * 1000;
const START = 1_700_000_000_000;

/** Two logs with one clock that the test moves. */
const LOGS = [
  [
    'embedded',
    async (now: () => number) => {
      const path = join(await folder('maintain'), 'log');
      const transport = await embeddedTransport({ path, now, maintenanceMs: DAY })();
      return { transport, maintain: () => transport.maintain({ force: true }) };
    },
  ],
  [
    'memory',
    async (now: () => number) => {
      const log = new MemoryLog({ now });
      return { transport: await memoryTransport(log)(), maintain: async () => log.maintain() };
    },
  ],
] as const;

describe.each(LOGS)('maintenance of the %s log', (_, open) => {
  async function setUp(config: TopicConfig) {
    let now = START;
    const log = await open(() => now);
    await log.transport.topics.create('t', { config });
    return { ...log, pass: (ms: number) => (now += ms), time: () => now };
  }

  it('removes batches whose records and writing are older than the retention, never the newest', async () => {
    const { transport, maintain, pass, time } = await setUp({ retentionMs: 1000 });
    for (const value of ['a', 'b', 'c']) {
      await send(transport, 't', 0, [{ value, timestamp: time() }]);
      pass(400);
    }
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['b', 'c']);
    expect((await transport.offsets('t', 'earliest')).get(0)).toBe(1);
    pass(10 * DAY);
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['c']);
    expect((await transport.offsets('t', 'latest')).get(0)).toBe(3);
    await transport.close();
  });

  it('keeps history that was written just now, and records of the future', async () => {
    const { transport, maintain, pass } = await setUp({ retentionMs: 1000 });
    await send(transport, 't', 0, [{ value: 'long ago', timestamp: 5 }]);
    await send(transport, 't', 0, [{ value: 'far ahead', timestamp: START + DAY }]);
    await send(transport, 't', 0, [{ value: 'last', timestamp: START }]);
    await maintain();
    expect(await readAll(transport, 't')).toHaveLength(3);
    pass(2000);
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['far ahead', 'last']);
    await transport.close();
  });

  it('keeps everything with retention −1', async () => {
    const { transport, maintain, pass } = await setUp({ retentionMs: -1 });
    await send(transport, 't', 0, values('a'));
    await send(transport, 't', 0, values('b'));
    pass(1000 * DAY);
    await maintain();
    expect(await readAll(transport, 't')).toHaveLength(2);
    await transport.close();
  });

  it('removes the oldest batches over the size limit', async () => {
    const { transport, maintain } = await setUp({ retentionBytes: 2500 });
    for (let i = 0; i < 10; i++) await send(transport, 't', 0, values(String(i).repeat(1000)));
    await maintain();
    const kept = valuesOf(await readAll(transport, 't'));
    expect(kept.map((value) => value![0])).toEqual(['8', '9']);
    await transport.close();
  });

  it.each<Compression>(['none', 'zstd'])(
    'keeps the newest record of each key at its offset, %s',
    async (compression) => {
      const { transport, maintain } = await setUp({ cleanup: 'compact', minCompactionLagMs: 0 });
      const put = (...rows: [string | null, string | null][]) =>
        send(
          transport,
          't',
          0,
          rows.map(([key, value], i) => ({ key, value, timestamp: i, headers: [[`h${i}`, null]] })),
          compression,
        );
      await put(['a', '1'], ['b', '1'], ['c', '1']);
      await put(['a', '2'], ['a', '3']);
      await put([null, 'no key'], ['b', '2']);
      await put(['a', '4']);
      await maintain();
      const expected = [
        [2, 'c', '1', 2],
        [5, null, 'no key', 0],
        [6, 'b', '2', 1],
        [7, 'a', '4', 0],
      ];
      const rows = await readAll(transport, 't', 0, 0);
      expect(rows.map((row) => [row.offset, row.key, row.value, row.timestamp])).toEqual(expected);
      expect(rows[0]!.headers).toEqual([['h2', null]]);
      // From inside an emptied batch, and again after nothing has changed.
      await maintain();
      expect((await readAll(transport, 't', 0, 3)).map((row) => row.offset)).toEqual([5, 6, 7]);
      expect((await put(['d', '1'])).baseOffset).toBe(8);
      await transport.close();
    },
  );

  it('makes progress over a tail that compaction has emptied', async () => {
    const { transport, maintain, pass } = await setUp({ cleanup: 'compact', minCompactionLagMs: 0 });
    await send(transport, 't', 0, [{ key: 'a', value: '1' }]);
    await send(transport, 't', 0, [{ key: 'b', value: '1' }]);
    await send(transport, 't', 0, [{ key: 'b', value: null }]);
    pass(2 * DAY);
    await maintain();
    const { fetcher } = watch(transport);
    fetcher.assign('t', 0, 1);
    const empty = fetcher.poll('t', 0)!;
    expect(rowsOf(empty)).toEqual([]);
    expect(empty.nextOffset).toBe(3);
    expect(fetcher.poll('t', 0)).toBeUndefined();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['1']);
    await transport.close();
  });

  it('keeps tombstones for a day, so that readers that lag behind hear of them', async () => {
    const { transport, maintain, pass } = await setUp({ cleanup: 'compact', minCompactionLagMs: 0 });
    await send(transport, 't', 0, [{ key: 'a', value: '1' }]);
    await send(transport, 't', 0, [{ key: 'a', value: null }]);
    await send(transport, 't', 0, [{ key: 'b', value: '1' }]);
    await maintain();
    expect((await readAll(transport, 't')).map((row) => [row.key, row.value])).toEqual([
      ['a', null],
      ['b', '1'],
    ]);
    pass(DAY + 1);
    await maintain();
    expect((await readAll(transport, 't')).map((row) => row.key)).toEqual(['b']);
    await transport.close();
  });

  it('spares what was written within the minimum lag, a day unless the topic says otherwise', async () => {
    const { transport, maintain, pass } = await setUp({ cleanup: 'compact' });
    await send(transport, 't', 0, [{ key: 'a', value: '1' }]);
    pass(DAY - 1);
    await send(transport, 't', 0, [{ key: 'a', value: '2' }]);
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['1', '2']);
    // What is older than that goes only for what is older too.
    pass(2);
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['1', '2']);
    pass(DAY);
    await maintain();
    expect(valuesOf(await readAll(transport, 't'))).toEqual(['2']);
    await transport.close();
  });

  it('spares what any group has not read, however old it is, and tombstones too', async () => {
    const { transport, maintain, pass } = await setUp({ cleanup: 'compact', minCompactionLagMs: 0 });
    await send(transport, 't', 0, [{ key: 'a', value: '1' }]);
    await send(transport, 't', 0, [{ key: 'a', value: '2' }]);
    await send(transport, 't', 0, [{ key: 'a', value: '3' }]);
    await send(transport, 't', 0, [{ key: 'a', value: null }]);
    await send(transport, 't', 0, [{ key: 'b', value: '1' }]);
    const at = (offset: number) => [{ topic: 't', partition: 0, offset }];
    await transport.setCommitted('fast', at(5));
    await transport.setCommitted('slow', at(2));
    pass(10 * DAY);
    await maintain();
    expect((await readAll(transport, 't', 0, 1)).map((row) => row.value)).toEqual(['2', '3', null, '1']);
    await transport.setCommitted('slow', at(5));
    await maintain();
    expect((await readAll(transport, 't')).map((row) => row.value)).toEqual(['1']);
    await transport.close();
  });

  it('spares all of a batch of which a part is unread', async () => {
    const { transport, maintain } = await setUp({ cleanup: 'compact', minCompactionLagMs: 0 });
    await send(transport, 't', 0, [
      { key: 'a', value: '1' },
      { key: 'a', value: '2' },
    ]);
    await transport.setCommitted('group', [{ topic: 't', partition: 0, offset: 1 }]);
    await maintain();
    expect(await readAll(transport, 't')).toHaveLength(2);
    await transport.setCommitted('group', [{ topic: 't', partition: 0, offset: 2 }]);
    await maintain();
    expect(await readAll(transport, 't')).toHaveLength(1);
    await transport.close();
  });

  it('does both with compact,delete', async () => {
    const { transport, maintain, pass, time } = await setUp({
      cleanup: 'compact,delete',
      retentionMs: 1000,
      minCompactionLagMs: 0,
    });
    await send(transport, 't', 0, [{ key: 'a', value: 'old', timestamp: time() }]);
    pass(2000);
    await send(transport, 't', 0, [{ key: 'b', value: '1', timestamp: time() }]);
    await send(transport, 't', 0, [{ key: 'b', value: '2', timestamp: time() }]);
    await maintain();
    expect((await readAll(transport, 't')).map((row) => row.value)).toEqual(['2']);
    await transport.close();
  });
});

describe('the file of the embedded log', () => {
  it('is reused: retention keeps it from growing without end', async () => {
    const path = join(await folder('reuse'), 'log');
    const transport = await embeddedTransport({ path, maintenanceMs: DAY })();
    await transport.topics.create('t', { config: { retentionBytes: 500_000 } });
    const sizes: number[] = [];
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 10; i++) await send(transport, 't', 0, values('x'.repeat(50_000)));
      await transport.maintain();
      sizes.push((await stat(join(path, 'log.mdb'))).size);
    }
    await transport.close();
    expect(sizes.at(-1), `sizes: ${sizes.join(' ')}`).toBeLessThan(5_000_000);
  });

  it('is compacted by itself when enough has changed', async () => {
    const path = join(await folder('dirty'), 'log');
    const transport = await embeddedTransport({ path, maintenanceMs: DAY })();
    await transport.topics.create('t', { config: { cleanup: 'compact', minCompactionLagMs: 0 } });
    const put = (n: number) => send(transport, 't', 0, [{ key: 'k', value: String(n) }]);
    for (let i = 0; i < 10; i++) await put(i);
    await transport.maintain();
    expect(await readAll(transport, 't')).toHaveLength(1);
    for (let i = 0; i < 40; i++) await send(transport, 't', 0, [{ key: `other ${i}`, value: 'x' }]);
    await transport.maintain();
    await put(11);
    // One record in forty is not worth reading all the others for.
    await transport.maintain();
    expect(await readAll(transport, 't')).toHaveLength(42);
    await transport.maintain({ force: true });
    expect(await readAll(transport, 't')).toHaveLength(41);
    await transport.close();
  });

  it('keeps all of it over a restart', async () => {
    const path = join(await folder('restart'), 'log');
    const first = await embeddedTransport({ path })();
    await first.topics.create('t', { config: { cleanup: 'compact', minCompactionLagMs: 0 } });
    for (let i = 0; i < 10; i++) await send(first, 't', 0, [{ key: `k${i % 3}`, value: String(i) }]);
    await first.maintain({ force: true });
    await first.close();
    const second = await embeddedTransport({ path })();
    expect((await readAll(second, 't', 0, 0)).map((row) => [row.offset, row.value])).toEqual([
      [7, '7'],
      [8, '8'],
      [9, '9'],
    ]);
    await second.close();
  });
});
