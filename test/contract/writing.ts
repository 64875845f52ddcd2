import { describe, expect, it } from 'vitest';
import type { Compression } from '../../src/protocol/compression.ts';
import { partitionForKey, partitionForText } from '../../src/protocol/partitioner.ts';
import { useLog } from './scope.ts';
import {
  batch,
  builderOf,
  failure,
  type Row,
  readAll,
  send,
  type TestLog,
  unique,
  values,
  valuesOf,
} from './support.ts';

const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list);

/** Java's producer puts these keys into these of 7 partitions. */
const PLACES = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
] as const;

/** Appending with a producer. */
export function writingContract(openLog: () => Promise<TestLog>): void {
  describe('writing', () => {
    const scope = useLog(openLog);

    it('gives consecutive offsets, per partition, and says where each batch went', async () => {
      const { transport } = scope;
      const topic = unique('offsets');
      await transport.topics.create(topic, { partitions: 2 });
      const producer = transport.producer();
      const results = await producer.send([
        batch(topic, 0, values('a', 'b')),
        batch(topic, 1, values('c')),
        batch(topic, 0, values('d')),
      ]);
      expect(results).toEqual([
        { topic, partition: 0, baseOffset: 0 },
        { topic, partition: 1, baseOffset: 0 },
        { topic, partition: 0, baseOffset: 2 },
      ]);
      expect((await readAll(transport, topic, 0)).map((row) => [row.offset, row.value])).toEqual([
        [0, 'a'],
        [1, 'b'],
        [2, 'd'],
      ]);
      await producer.close();
    });

    it('keeps the order of sends that were not awaited one by one', async () => {
      const { transport } = scope;
      const topic = unique('order');
      await transport.topics.create(topic);
      const producer = transport.producer();
      const expected = Array.from({ length: 200 }, (_, i) => `v${i}`);
      const results = await Promise.all(expected.map((value) => producer.send([batch(topic, 0, values(value))])));
      expect(results.map(([result]) => result!.baseOffset)).toEqual(expected.map((_, i) => i));
      expect(valuesOf(await readAll(transport, topic))).toEqual(expected);
      await producer.close();
    });

    it('brings back keys, values, nulls, empty bytes, times and headers as they were', async () => {
      const { transport } = scope;
      const topic = unique('fields');
      await transport.topics.create(topic);
      const rows: Row[] = [
        { key: 'k', value: 'v', timestamp: 1_700_000_000_123 },
        { key: null, value: null, timestamp: 0 },
        { key: '', value: '', timestamp: 5 },
        {
          key: 'ключ 🔑',
          value: 'x'.repeat(70_000),
          timestamp: 1_700_000_000_122,
          headers: [
            ['a', bytes(1, 0, 255)],
            ['b', null],
            ['a', bytes()],
          ],
        },
      ];
      await send(transport, topic, 0, rows);
      const read = await readAll(transport, topic);
      expect(read.map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(
        rows.map(({ key, value, timestamp }) => ({ key, value, timestamp })),
      );
      expect(read[0]!.headers).toEqual([]);
      expect(read[3]!.headers).toEqual(rows[3]!.headers);
    });

    it.each<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('round-trips %s', async (compression) => {
      const { transport } = scope;
      const topic = unique(compression);
      await transport.topics.create(topic);
      const rows = Array.from({ length: 500 }, (_, i) => ({ key: `k${i % 7}`, value: `value ${i} `.repeat(5) }));
      await send(transport, topic, 0, rows, compression);
      await send(transport, topic, 0, values('after'), compression);
      const read = await readAll(transport, topic);
      expect(valuesOf(read)).toEqual([...rows.map((row) => row.value), 'after']);
      expect(read.map((row) => row.offset)).toEqual(Array.from({ length: 501 }, (_, i) => i));
      // From the middle of a compressed batch.
      expect((await readAll(transport, topic, 0, 499)).map((row) => row.offset)).toEqual([499, 500]);
    });

    it('takes a builder’s records before send resolves, so that it can be reused', async () => {
      const { transport } = scope;
      const topic = unique('reuse');
      await transport.topics.create(topic);
      const producer = transport.producer();
      const records = builderOf(values('first'));
      await producer.send([{ topic, partition: 0, records, compression: 'none' }]);
      records.reset();
      records.append(1, null, 'second', []);
      await producer.send([{ topic, partition: 0, records, compression: 'none' }]);
      records.reset();
      expect(valuesOf(await readAll(transport, topic))).toEqual(['first', 'second']);
      await producer.close();
    });

    it('writes nothing of a call that is refused, and says so', async () => {
      const { transport } = scope;
      const topic = unique('refused');
      await transport.topics.create(topic, { config: { maxMessageBytes: 1000 } });
      const producer = transport.producer();
      const cases = [
        ['ERR_UNKNOWN_TOPIC', batch(unique('missing'), 0, values('x'))],
        ['ERR_UNKNOWN_PARTITION', batch(topic, 1, values('x'))],
        ['ERR_RECORD_TOO_LARGE', batch(topic, 0, values('x'.repeat(2000)))],
      ] as const;
      for (const [code, bad] of cases) {
        const error = await failure(code, producer.send([batch(topic, 0, values('good')), bad]));
        expect(error.written, code).toBe('no');
      }
      expect(await readAll(transport, topic)).toEqual([]);
      await producer.send([batch(topic, 0, values('still works'))]);
      expect(valuesOf(await readAll(transport, topic))).toEqual(['still works']);
      await producer.close();
    });

    it('measures a batch against the limit after compression', async () => {
      const { transport } = scope;
      const topic = unique('limit');
      await transport.topics.create(topic, { config: { maxMessageBytes: 1000 } });
      await send(transport, topic, 0, values('x'.repeat(5000)), 'gzip');
      expect(await readAll(transport, topic)).toHaveLength(1);
    });

    it('refuses a closed producer', async () => {
      const { transport } = scope;
      const topic = unique('closed');
      await transport.topics.create(topic);
      const producer = transport.producer();
      await producer.close();
      const error = await failure('ERR_CLOSED', producer.send([batch(topic, 0, values('x'))]));
      expect(error.written).toBe('no');
    });

    it('places keys as Java’s producer does', async () => {
      const { transport } = scope;
      const topic = unique('placed');
      await transport.topics.create(topic, { partitions: 7 });
      const producer = transport.producer();
      for (const [key, hash] of PLACES) {
        const partition = partitionForText(key, 7);
        expect(partition, key).toBe((hash & 0x7fffffff) % 7);
        expect(partitionForKey(new TextEncoder().encode(key), 7), key).toBe(partition);
        await producer.send([batch(topic, partition, [{ key, value: key }])]);
        expect((await readAll(transport, topic, partition)).at(-1)?.key).toBe(key);
      }
      await producer.close();
    });
  });
}
