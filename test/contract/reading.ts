import { describe, expect, it } from 'vitest';
import { useLog } from './scope.ts';
import { failure, readAll, rowsOf, send, type TestLog, unique, until, values, valuesOf, watch } from './support.ts';

/** Offsets and fetching. */
export function readingContract(openLog: () => Promise<TestLog>): void {
  describe('offsets', () => {
    const scope = useLog(openLog);

    it('knows earliest and latest, of all partitions or of those named', async () => {
      const { transport } = scope;
      const topic = unique('ends');
      await transport.topics.create(topic, { partitions: 3 });
      await send(transport, topic, 1, values('a', 'b'));
      expect(await transport.offsets(topic, 'earliest')).toEqual(
        new Map([
          [0, 0],
          [1, 0],
          [2, 0],
        ]),
      );
      expect(await transport.offsets(topic, 'latest')).toEqual(
        new Map([
          [0, 0],
          [1, 2],
          [2, 0],
        ]),
      );
      expect(await transport.offsets(topic, 'latest', [1])).toEqual(new Map([[1, 2]]));
      await failure('ERR_UNKNOWN_PARTITION', transport.offsets(topic, 'latest', [9]));
    });

    it('finds the first record at or after a time, also inside a batch and with times out of order', async () => {
      const { transport } = scope;
      const topic = unique('times');
      await transport.topics.create(topic);
      await send(
        transport,
        topic,
        0,
        [100, 300, 200].map((timestamp) => ({ value: 'x', timestamp })),
      );
      await send(
        transport,
        topic,
        0,
        [150, 400].map((timestamp) => ({ value: 'x', timestamp })),
      );
      const at = async (time: number) => (await transport.offsets(topic, { time })).get(0);
      expect(await at(0)).toBe(0);
      expect(await at(100)).toBe(0);
      expect(await at(101)).toBe(1);
      expect(await at(300)).toBe(1);
      expect(await at(301)).toBe(4);
      expect(await at(401)).toBe(5);
    });
  });

  describe('fetching', () => {
    const scope = useLog(openLog);

    it('delivers batches with their progress, and nothing at the end', async () => {
      const { transport } = scope;
      const topic = unique('fetch');
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('a', 'b'));
      await send(transport, topic, 0, values('c'));
      const { fetcher } = watch(transport);
      fetcher.assign(topic, 0, 0);
      const seen: string[] = [];
      let position = 0;
      await until('three records', () => {
        const fetched = fetcher.poll(topic, 0);
        if (fetched === undefined) return false;
        for (const row of rowsOf(fetched)) seen.push(row.value!);
        expect(fetched.endOffset).toBe(3);
        position = fetched.nextOffset;
        return position === 3;
      });
      expect(seen).toEqual(['a', 'b', 'c']);
      expect(fetcher.poll(topic, 0)).toBeUndefined();
      expect(fetcher.endOffset(topic, 0)).toBe(3);
      await fetcher.close();
    });

    it('begins inside a batch, and leaves out what lies before', async () => {
      const { transport } = scope;
      const topic = unique('middle');
      await transport.topics.create(topic);
      await send(transport, topic, 0, [
        { value: 'a', timestamp: 1 },
        { value: 'b', timestamp: 2, headers: [['h', Uint8Array.of(1)]] },
        { value: 'c', timestamp: 3 },
      ]);
      const rows = await readAll(transport, topic, 0, 1);
      expect(rows.map((row) => [row.offset, row.timestamp, row.value])).toEqual([
        [1, 2, 'b'],
        [2, 3, 'c'],
      ]);
      expect(rows[0]!.headers).toEqual([['h', Uint8Array.of(1)]]);
      expect(rows[1]!.headers).toEqual([]);
    });

    it('wakes up for new records, never inside a call of its own', async () => {
      const { transport } = scope;
      const topic = unique('wake');
      await transport.topics.create(topic, { partitions: 2 });
      const { fetcher, next, wakes } = watch(transport);
      fetcher.assign(topic, 0, 0);
      await until('the end to be known', () => {
        fetcher.poll(topic, 0);
        return fetcher.endOffset(topic, 0) === 0;
      });
      const woken = next();
      const before = wakes();
      const sending = send(transport, topic, 0, values('x'));
      await Promise.all([woken, sending]);
      expect(wakes()).toBeGreaterThan(before);
      expect(rowsOf(await until('the record', () => fetcher.poll(topic, 0)))).toHaveLength(1);
      // Assigning where there is something to read wakes as well, but not synchronously.
      const again = next();
      const count = wakes();
      fetcher.assign(topic, 0, 0);
      expect(wakes()).toBe(count);
      await again;
      await fetcher.close();
    });

    it('wakes up for records of another transport on the same log', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const topic = unique('wake-other');
      await transport.topics.create(topic);
      const { fetcher, next } = watch(transport);
      const first = next();
      fetcher.assign(topic, 0, 0);
      fetcher.poll(topic, 0);
      await send(other, topic, 0, values('hello'));
      await first;
      expect(valuesOf(rowsOf(await until('the record', () => fetcher.poll(topic, 0))))).toEqual(['hello']);
      await fetcher.close();
    });

    it('seeks by assigning again, and forgets by unassigning', async () => {
      const { transport } = scope;
      const topic = unique('seek');
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('a'));
      await send(transport, topic, 0, values('b'));
      const { fetcher } = watch(transport);
      const one = () => until('a batch', () => fetcher.poll(topic, 0));
      fetcher.assign(topic, 0, 1);
      expect(valuesOf(rowsOf(await one()))).toEqual(['b']);
      fetcher.assign(topic, 0, 0);
      expect(valuesOf(rowsOf(await one()))[0]).toBe('a');
      fetcher.unassign(topic, 0);
      expect(fetcher.poll(topic, 0)).toBeUndefined();
      await fetcher.close();
      expect(fetcher.poll(topic, 0)).toBeUndefined();
    });

    it('reports a range that was removed, again and again, until it is told where to go on', async () => {
      const { transport } = scope;
      const topic = unique('removed');
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('a', 'b', 'c'));
      await transport.topics.deleteRecords(topic, [{ partition: 0, offset: 2 }]);
      expect((await transport.offsets(topic, 'earliest')).get(0)).toBe(2);
      const { fetcher } = watch(transport);
      fetcher.assign(topic, 0, 0);
      for (let i = 0; i < 2; i++) {
        const error = await until('the error', () => {
          try {
            expect(fetcher.poll(topic, 0), 'nothing can be read there').toBeUndefined();
            return false;
          } catch (caught) {
            return caught;
          }
        });
        expect(error).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE', topic, partition: 0, offset: 0, lastOffset: 1 });
      }
      fetcher.assign(topic, 0, 2);
      expect(valuesOf(rowsOf(await until('a batch', () => fetcher.poll(topic, 0))))).toEqual(['c']);
      await fetcher.close();
    });

    it('keeps offsets when everything was removed', async () => {
      const { transport } = scope;
      const topic = unique('emptied');
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('a', 'b'));
      await transport.topics.deleteRecords(topic, [{ partition: 0, offset: 2 }]);
      expect(await readAll(transport, topic)).toEqual([]);
      expect((await transport.offsets(topic, 'earliest')).get(0)).toBe(2);
      expect((await send(transport, topic, 0, values('c'))).baseOffset).toBe(2);
      expect(valuesOf(await readAll(transport, topic))).toEqual(['c']);
    });

    it('reports a topic that does not exist', async () => {
      const { fetcher } = watch(scope.transport);
      const topic = unique('missing');
      fetcher.assign(topic, 0, 0);
      const error = await until('the error', () => {
        try {
          fetcher.poll(topic, 0);
          return false;
        } catch (caught) {
          return caught;
        }
      });
      expect(error).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC', topic });
      await fetcher.close();
    });

    it('delivers bytes that do not change when the log does', async () => {
      const { transport } = scope;
      const topic = unique('stable');
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('x'.repeat(100_000)));
      const { fetcher } = watch(transport);
      fetcher.assign(topic, 0, 0);
      const fetched = await until('a batch', () => fetcher.poll(topic, 0));
      await transport.topics.deleteRecords(topic, [{ partition: 0, offset: 1 }]);
      for (let i = 0; i < 20; i++) await send(transport, topic, 0, values('y'.repeat(100_000)));
      expect(valuesOf(rowsOf(fetched))).toEqual(['x'.repeat(100_000)]);
      await fetcher.close();
    });

    it('holds nothing for those who do not poll', async () => {
      const { transport } = scope;
      const topic = unique('slow');
      await transport.topics.create(topic);
      const { fetcher } = watch(transport);
      fetcher.assign(topic, 0, 0);
      const producer = transport.producer();
      for (let i = 0; i < 50; i++) await send(transport, topic, 0, values(String(i).repeat(1000)));
      await producer.close();
      const seen: (string | null)[] = [];
      await until('all records', () => {
        const fetched = fetcher.poll(topic, 0);
        if (fetched !== undefined) seen.push(...valuesOf(rowsOf(fetched)));
        return seen.length === 50;
      });
      expect(seen[49]).toBe('49'.repeat(1000));
      await fetcher.close();
    });
  });

  describe('closing', () => {
    it('refuses every later call', async () => {
      const log = await openLog();
      const transport = await log.open();
      const topic = unique('over');
      await transport.topics.create(topic);
      await transport.close();
      await transport.close();
      await failure('ERR_CLOSED', () => transport.topics.list());
      await failure('ERR_CLOSED', () => transport.offsets(topic, 'latest'));
      await failure('ERR_CLOSED', () => transport.producer());
      await log.cleanup();
    });
  });
}
