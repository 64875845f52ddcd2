import { describe, expect, it } from 'vitest';
import { MillraceError, StoreError } from '../../src/errors.ts';
import { bytes, json, string } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { failure, type TestLog, unique } from '../contract/support.ts';
import { all, turns, useClients } from './scope.ts';

const text = (name: string, partitions = 1) => topic(name, { key: string(), value: string(), partitions });
const encoder = new TextEncoder();

/** Publishing: acknowledgement, batching, order, and what happens to what cannot be written. */
export function publishingSuite(openLog: () => Promise<TestLog>): void {
  describe('publish', () => {
    const scope = useClients(openLog);

    it('resolves with the place of the record when it can be read', async () => {
      const { client } = scope;
      const orders = text(unique('orders'));
      const before = Date.now();
      const first = await client.publish(orders, { key: 'a', value: 'one' });
      const second = await client.publish(orders, {
        key: 'a',
        value: 'two',
        timestamp: 42,
        headers: [['h', Uint8Array.of(7)]],
      });
      expect(first).toMatchObject({ topic: orders.name, partition: 0, offset: 0 });
      expect(first.timestamp).toBeGreaterThanOrEqual(before);
      expect(second).toEqual({ topic: orders.name, partition: 0, offset: 1, timestamp: 42 });
      const records = await all(client.records(orders, { from: 'earliest', until: 'end' }));
      expect(records.map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
        ['a', 'one', first.timestamp],
        ['a', 'two', 42],
      ]);
      expect(records[1]!.headers).toEqual([['h', Uint8Array.of(7)]]);
    });

    it('spreads a large call of records without a key, in order within each partition', async () => {
      const { client } = scope;
      const numbers = topic(unique('backlog'), { value: json<number>(), partitions: 3 });
      const records = Array.from({ length: 7000 }, (_, value) => ({ value }));
      const published = await client.publishAll(numbers, records);
      expect(new Set(published.map(({ partition }) => partition)).size).toBe(3);
      const last = new Map<number, number>();
      for await (const { partition, value } of client.records(numbers, { from: 'earliest', until: 'end' })) {
        expect(value).toBeGreaterThan(last.get(partition) ?? -1);
        last.set(partition, value);
      }
      expect(Math.max(...last.values())).toBe(6999);
    });

    it('chooses partitions as Kafka does, takes the one asked for, and spreads records without a key', async () => {
      const { client } = scope;
      const name = unique('spread');
      const keyed = text(name, 3);
      // Java: murmur2("21") = -973932308, masked and modulo 3.
      const { partition } = await client.publish(keyed, { key: '21', value: 'x' });
      expect(partition).toBe((-973_932_308 & 0x7fff_ffff) % 3);
      expect((await client.publish(keyed, { key: '21', value: 'x', partition: 2 })).partition).toBe(2);
      const plain = topic(name, { value: string() });
      const used = new Set<number>();
      for (let i = 0; i < 6; i++) used.add((await client.publish(plain, { value: 'x' })).partition);
      expect(used.size, 'records without a key all went to one partition').toBe(3);
    });

    it('writes a null value as a tombstone', async () => {
      const { client } = scope;
      const users = text(unique('users'));
      await client.publish(users, { key: 'a', value: null });
      const raw = topic(users.name, { key: string(), value: string() });
      const error = await failure('ERR_NULL_VALUE', all(client.records(raw, { from: 'earliest', until: 'end' })));
      expect(error).toMatchObject({ topic: users.name, partition: 0, offset: 0 });
    });

    it('puts calls that are not awaited one by one into one write, in order', async () => {
      const { client } = scope;
      const orders = text(unique('many'));
      await client.publish(orders, { key: 'k', value: 'first' });
      const before = scope.sends.length;
      const published = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => client.publish(orders, { key: 'k', value: String(i) })),
      );
      expect(scope.sends.length - before).toBe(1);
      expect(published.map(({ offset }) => offset)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
      const values = (await all(client.records(orders, { from: 'earliest', until: 'end' }))).map(({ value }) => value);
      expect(values).toEqual(['first', ...Array.from({ length: 1000 }, (_, i) => String(i))]);
    });

    it('gathers the next write while one is under way', async () => {
      const { client } = scope;
      const orders = text(unique('gather'));
      await client.publish(orders, { key: 'k', value: 'known' });
      let release: () => void = () => undefined;
      scope.beforeSend = () => new Promise((resolve) => (release = resolve));
      const before = scope.sends.length;
      const first = client.publish(orders, { key: 'k', value: '0' });
      await turns();
      const rest = Array.from({ length: 50 }, async (_, i) => {
        await turns(i % 5);
        return client.publish(orders, { key: 'k', value: String(i) });
      });
      await turns(10);
      scope.beforeSend = () => undefined;
      release();
      await Promise.all([first, ...rest]);
      expect(scope.sends.length - before).toBe(2);
    });

    it('closes a write at its limits, and lets records wait for others', async () => {
      const client = await scope.another({ batch: { linger: '20ms', count: 10 } });
      const orders = text(unique('limits'));
      await client.topics.create(orders);
      const before = scope.sends.length;
      const lingering = Array.from({ length: 5 }, async (_, i) => {
        await turns(i);
        return client.publish(orders, { key: 'k', value: 'x' });
      });
      await Promise.all(lingering);
      expect(scope.sends.length - before).toBe(1);
      await Promise.all(Array.from({ length: 25 }, () => client.publish(orders, { key: 'k', value: 'x' })));
      expect(scope.sends.slice(before + 1).map(([batch]) => batch!.records.count)).toEqual([10, 10, 5]);
    });

    it('cuts a large write into batches that the topic takes', async () => {
      const { client } = scope;
      const blobs = topic(unique('blobs'), { value: bytes() });
      await client.topics.create(blobs, { config: { maxMessageBytes: 20_000 } });
      const published = await Promise.all(
        Array.from({ length: 20 }, () => client.publish(blobs, { value: new Uint8Array(5_000) })),
      );
      expect(published.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(scope.sends.at(-1)!.length).toBeGreaterThan(5);
    });

    it('refuses only the record that is wrong, and says that it was not written', async () => {
      const { client } = scope;
      const orders = text(unique('wrong'), 2);
      await client.topics.configure(await created(orders.name), { maxMessageBytes: 1_000 });
      const wrong = { key: 'k', value: 'x' };
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      const results = await Promise.allSettled([
        client.publish(orders, wrong),
        client.publish(orders, { ...wrong, value: 'y'.repeat(2_000) }),
        client.publish(orders, { ...wrong, partition: 7 }),
        client.publish(orders, { ...wrong, timestamp: 1.5 }),
        client.publish(orders, { value: 'no key' }),
        client.publish(topic(orders.name, { value: json<unknown>() }), { value: circular }),
        // @ts-expect-error headers are pairs
        client.publish(orders, { ...wrong, headers: { a: 'b' } }),
        // @ts-expect-error a record is an object
        client.publish(orders, undefined),
        client.publish(orders, wrong),
      ]);
      const codes = results.map((result) => (result.status === 'fulfilled' ? 'ok' : codeOf(result.reason)));
      expect(codes).toEqual([
        'ok',
        'ERR_RECORD_TOO_LARGE no',
        'ERR_UNKNOWN_PARTITION no',
        'ERR_TIMESTAMP no',
        'ERR_NULL_KEY no',
        'ERR_ENCODE no',
        'ERR_HEADERS no',
        'ERR_ENCODE no',
        'ok',
      ]);
      for (const result of results) {
        if (result.status === 'rejected') expect((result.reason as MillraceError).topic).toBe(orders.name);
      }
    });

    async function created(name: string): Promise<string> {
      await scope.client.topics.create(name, { partitions: 2 });
      return name;
    }

    it('does not create a topic by accident, and names the one that may be meant', async () => {
      const { client } = scope;
      const name = unique('customers');
      await client.topics.create(name);
      const error = await failure(
        'ERR_UNKNOWN_TOPIC',
        client.publish(topic(name.replace('customers', 'custmers'), { value: string() }), { value: 'x' }),
      );
      expect(error.written).toBe('no');
      expect(error.message).toContain(`did you mean ${name}`);
      // Created meanwhile: the next call finds it.
      const late = topic(unique('late'), { value: string() });
      await failure('ERR_UNKNOWN_TOPIC', client.publish(late, { value: 'x' }));
      await client.topics.create(late);
      expect((await client.publish(late, { value: 'x' })).offset).toBe(0);
    });

    it('creates a topic that says how many partitions it wants, and refuses one that has others', async () => {
      const { client } = scope;
      const declared = text(unique('declared'), 4);
      await client.publish(declared, { key: 'k', value: 'x' });
      expect((await client.topics.describe(declared))?.partitions).toBe(4);
      const other = await scope.another();
      const error = await failure(
        'ERR_PARTITION_COUNT',
        other.publish(text(declared.name, 2), { key: 'k', value: 'x' }),
      );
      expect(error.written).toBe('no');
    });

    it('keeps the order of calls made before the topic is known', async () => {
      const { client } = scope;
      const orders = text(unique('order'));
      const published = Array.from({ length: 20 }, async (_, i) => {
        for (let tick = 0; tick < i; tick++) await Promise.resolve();
        return client.publish(orders, { key: 'k', value: String(i) });
      });
      const offsets = (await Promise.all(published)).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    });

    it('passes on what the log says, and does not take the records of other topics along', async () => {
      const { client } = scope;
      const [good, gone] = [text(unique('good')), text(unique('gone'))];
      await Promise.all([good, gone].map((each) => client.publish(each, { key: 'k', value: 'x' })));
      // Deleted by somebody else: this client does not know.
      const other = await scope.another();
      await other.topics.delete(gone);
      const [kept, lost] = await Promise.allSettled([
        client.publish(good, { key: 'k', value: 'y' }),
        client.publish(gone, { key: 'k', value: 'y' }),
      ]);
      expect(kept).toMatchObject({ status: 'fulfilled', value: { offset: 1 } });
      expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'ERR_UNKNOWN_TOPIC', written: 'no' } });
    });

    it('says of a topic that was deleted that it was there, and what brings it back', async () => {
      const { client } = scope;
      const gone = text(unique('gone'));
      await client.publish(gone, { key: 'k', value: 'x' });
      await client.topics.delete(gone);
      const error = await failure('ERR_UNKNOWN_TOPIC', client.publish(gone, { key: 'k', value: 'y' }));
      expect(error.hint).toMatch(/it existed and was deleted; create it again/);
      await client.topics.create(gone);
      expect(await client.publish(gone, { key: 'k', value: 'z' })).toMatchObject({ offset: 0 });
    });

    it('refuses only the records that are too large after somebody lowered the limit', async () => {
      const client = await scope.another({ compression: 'none' });
      const orders = text(unique('lowered'));
      await client.publish(orders, { key: 'k', value: 'x' });
      const other = await scope.another();
      await other.topics.configure(orders, { maxMessageBytes: 1_000 });
      const results = await Promise.allSettled(
        [100, 700, 5_000, 700, 100].map((size) => client.publish(orders, { key: 'k', value: 'x'.repeat(size) })),
      );
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
      expect(results[2]).toMatchObject({ reason: { code: 'ERR_RECORD_TOO_LARGE', written: 'no' } });
      const records = await all(client.records(orders, { from: 'earliest', until: 'end' }));
      expect(records.map(({ value }) => value.length)).toEqual([1, 100, 700, 700, 100]);
    });

    it("says 'unknown' when the acknowledgement was lost, and does not write again", async () => {
      const { client } = scope;
      const orders = text(unique('unknown'));
      await client.publish(orders, { key: 'k', value: 'x' });
      const before = scope.sends.length;
      scope.afterSend = () => {
        throw new Error('connection reset');
      };
      const error = await failure('ERR_PUBLISH', client.publish(orders, { key: 'k', value: 'y' }));
      expect(error.written).toBe('unknown');
      scope.afterSend = () => undefined;
      expect(scope.sends.length - before).toBe(1);
      expect((await client.publish(orders, { key: 'k', value: 'z' })).offset).toBe(2);
    });

    it("says 'no' when the log refused, and works again afterwards", async () => {
      const { client } = scope;
      const orders = text(unique('full'));
      await client.publish(orders, { key: 'k', value: 'x' });
      scope.beforeSend = () => {
        throw new StoreError('ERR_DISK_FULL', 'the disk is full', { written: 'no' });
      };
      const errors = await Promise.all(
        ['a', 'b'].map((value) => failure('ERR_DISK_FULL', client.publish(orders, { key: 'k', value }))),
      );
      for (const error of errors) expect(error).toMatchObject({ written: 'no', topic: orders.name });
      scope.beforeSend = () => undefined;
      expect((await client.publish(orders, { key: 'k', value: 'z' })).offset).toBe(1);
    });

    it('stops a loop that never awaits before the memory is full', async () => {
      const client = await scope.another({ maxBufferedBytes: 10_000 });
      const orders = text(unique('buffer'));
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => client.publish(orders, { key: 'k', value: 'x'.repeat(1_000) })),
      );
      const refused = results.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(11);
      expect(refused[0]).toMatchObject({ reason: { code: 'ERR_BUFFER_FULL', retriable: true, written: 'no' } });
      await client.publish(orders, { key: 'k', value: 'x'.repeat(20_000) });
    });

    it('does not mind when an object is changed after the call', async () => {
      const { client } = scope;
      const counts = topic(unique('counts'), { value: json<{ n: number }>(), partitions: 1 });
      const count = { n: 0 };
      const published: Promise<unknown>[] = [];
      for (; count.n < 5; count.n++) published.push(client.publish(counts, { value: count }));
      await Promise.all(published);
      const values = (await all(client.records(counts, { from: 'earliest', until: 'end' }))).map(
        ({ value }) => value.n,
      );
      expect(values).toEqual([0, 1, 2, 3, 4]);
    });

    it('writes with every compression, and reads it again', async () => {
      for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
        const client = await scope.another({ compression });
        const name = unique(compression);
        const packed = topic(name, { value: bytes(), partitions: 1 });
        await client.publish(packed, { value: encoder.encode('hello '.repeat(100)) });
        const [record] = await all(client.records(packed, { from: 'earliest', until: 'end' }));
        expect(record!.value.length, compression).toBe(600);
        expect(scope.sends.at(-1)![0]!.compression).toBe(compression);
      }
    });
  });

  describe('publishAll', () => {
    const scope = useClients(openLog);

    it('writes all records at once, over all partitions, and says where each is', async () => {
      const { client } = scope;
      const orders = text(unique('all'), 3);
      const records = Array.from({ length: 5_000 }, (_, i) => ({ key: `k${i % 7}`, value: 'x'.repeat(300) + i }));
      const published = await client.publishAll(orders, records);
      expect(scope.sends).toHaveLength(1);
      expect(scope.sends[0]!.length, 'a large write has several batches').toBeGreaterThan(3);
      const read = await all(client.records(orders, { from: 'earliest', until: 'end' }));
      const placed = new Map(read.map(({ partition, offset, value }) => [`${partition}/${offset}`, value]));
      published.forEach(({ partition, offset }, i) => {
        expect(placed.get(`${partition}/${offset}`)).toBe(records[i]!.value);
      });
      expect(read).toHaveLength(5_000);
    });

    it('takes none of the records when one is wrong', async () => {
      const { client } = scope;
      const orders = text(unique('none'));
      await client.topics.create(orders, { config: { maxMessageBytes: 1_000 } });
      const good = { key: 'k', value: 'x' };
      const large = await failure(
        'ERR_RECORD_TOO_LARGE',
        client.publishAll(orders, [good, { key: 'k', value: 'y'.repeat(2_000) }]),
      );
      expect(large.written).toBe('no');
      await failure('ERR_UNKNOWN_PARTITION', client.publishAll(orders, [good, { ...good, partition: 3 }]));
      await failure('ERR_NULL_KEY', client.publishAll(orders, [good, { value: 'x' }]));
      expect(await client.offsets(orders, 'latest')).toEqual(new Map([[0, 0]]));
      expect(scope.sends).toHaveLength(0);
    });

    it('takes none of the records when the log refuses one batch', async () => {
      const client = await scope.another({ compression: 'none' });
      const orders = text(unique('atomic'), 2);
      await client.publishAll(orders, [{ key: 'k', value: 'x' }]);
      const other = await scope.another();
      await other.topics.configure(orders, { maxMessageBytes: 1_000 });
      const ends = await client.offsets(orders, 'latest');
      const records = [0, 1].map((partition) => ({ key: 'k', value: 'x'.repeat(partition * 5_000), partition }));
      expect((await failure('ERR_RECORD_TOO_LARGE', client.publishAll(orders, records))).written).toBe('no');
      expect(await client.offsets(orders, 'latest')).toEqual(ends);
    });

    it('comes after what was published before, and before what comes later', async () => {
      const { client } = scope;
      const orders = text(unique('between'));
      const record = (value: string) => ({ key: 'k', value });
      await Promise.all([
        client.publish(orders, record('1')),
        client.publishAll(orders, ['2', '3'].map(record)),
        client.publish(orders, record('4')),
        client.publishAll(orders, []),
      ]);
      const values = (await all(client.records(orders, { from: 'earliest', until: 'end' }))).map(({ value }) => value);
      expect(values).toEqual(['1', '2', '3', '4']);
      expect(await client.publishAll(orders, [])).toEqual([]);
    });

    it('lets the process do other things while it takes many records, and keeps its place', async () => {
      const { client } = scope;
      const orders = text(unique('many'));
      const [pause, turnsSeen] = [{ turn: 0, over: false }, new Set<number>()];
      const turn = (): void => {
        pause.turn += 1;
        if (!pause.over) setImmediate(turn);
      };
      turn();
      const [count, first] = [20_000, client.publish(orders, { key: 'k', value: 'first' })];
      const many = client.publishAll(
        orders,
        (function* () {
          for (let n = 0; n < count; n++) {
            turnsSeen.add(pause.turn);
            yield { key: 'k', value: `${n}` };
          }
        })(),
      );
      const [one, published, last] = await Promise.all([
        first,
        many,
        client.publish(orders, { key: 'k', value: 'last' }),
        client.flush(),
      ]);
      pause.over = true;
      expect(turnsSeen.size).toBeGreaterThan(5);
      expect(scope.sends, 'and it is one write all the same').toHaveLength(3);
      expect([one.offset, published[0]?.offset, published[count - 1]?.offset, last.offset]).toEqual([
        0,
        1,
        count,
        count + 1,
      ]);
    });

    it('takes none of many records when a late one is wrong', async () => {
      const { client } = scope;
      const orders = text(unique('late'));
      await client.topics.create(orders);
      const many = Array.from({ length: 5_000 }, (_, n) => ({ key: 'k', value: `${n}` }));
      await failure('ERR_UNKNOWN_PARTITION', client.publishAll(orders, [...many, { ...many[0]!, partition: 3 }]));
      await client.flush();
      expect(await client.offsets(orders, 'latest')).toEqual(new Map([[0, 0]]));
      await client.publishAll(orders, many);
      expect(await client.offsets(orders, 'latest')).toEqual(new Map([[0, 5_000]]));
    });

    it('is finished when the client closes, or given up as a whole at the deadline', async () => {
      const [patient, hasty] = [await scope.another(), await scope.another({ closeDeadline: '1ms' })];
      const orders = text(unique('closing'));
      await patient.topics.create(orders);
      const many = patient.publishAll(
        orders,
        Array.from({ length: 5_000 }, (_, n) => ({ key: 'k', value: `${n}` })),
      );
      await patient.close();
      expect(await many).toHaveLength(5_000);
      const endless = hasty.publishAll(
        orders,
        (function* () {
          for (;;) yield { key: 'k', value: 'x' };
        })(),
      );
      endless.catch(() => undefined);
      await hasty.close();
      await expect(endless).rejects.toMatchObject({ written: 'no' });
      expect(await scope.client.offsets(orders, 'latest')).toEqual(new Map([[0, 5_000]]));
    });

    it('is refused beside what fills the memory already, and never alone', async () => {
      const client = await scope.another({ maxBufferedBytes: 10_000 });
      const orders = text(unique('all-buffered'));
      const records = Array.from({ length: 4 }, () => ({ key: 'k', value: 'x'.repeat(1_000) }));
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => client.publishAll(orders, records)));
      const refused = results.filter(({ status }) => status === 'rejected');
      expect(refused).toHaveLength(18);
      expect(refused[0]).toMatchObject({ reason: { code: 'ERR_BUFFER_FULL', retriable: true, written: 'no' } });
      for (let n = 0; n < 3; n++) await client.publishAll(orders, [...records, ...records, ...records]);
      await client.publish(orders, records[0]!);
    });
  });
}

function codeOf(error: unknown): string {
  return error instanceof MillraceError ? `${error.code} ${error.written}` : String(error);
}
