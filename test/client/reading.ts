import { filter, firstValueFrom, map, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { ReadOptions } from '../../src/client/read/read-options.ts';
import { deadLetter } from '../../src/options/record-policy.ts';
import { bytes, int32, json, nullable, string } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { failure, type TestLog, unique, until } from '../contract/support.ts';
import { all, turns, useClients, watch } from './scope.ts';

const text = (name: string, partitions = 1) => topic(name, { key: string(), value: string(), partitions });
const END = { from: 'earliest', until: 'end' } as const;

/** Every way to consume, apart from groups. */
export function readingSuite(openLog: () => Promise<TestLog>): void {
  describe('records', () => {
    const scope = useClients(openLog);

    /** A topic of two partitions with the records a0 … a4 and b0 … b4, at the times 0, 10, … 40. */
    async function filled(client: Client) {
      const orders = text(unique('orders'), 2);
      for (let i = 0; i < 5; i++) {
        await client.publishAll(orders, [
          { key: 'k', value: `a${i}`, partition: 0, timestamp: i * 10 },
          { key: 'k', value: `b${i}`, partition: 1, timestamp: i * 10 },
        ]);
      }
      return orders;
    }
    const valuesOf = async (options: ReadOptions): Promise<string> => {
      const orders = await filled(scope.client);
      return (await all(scope.client.records(orders, options)))
        .map(({ value }) => value)
        .sort()
        .join(' ');
    };

    it('does nothing before it is subscribed, and reads anew with each subscription', async () => {
      const { client } = scope;
      const missing = topic(unique('missing'), { value: string() });
      const records = client.records(missing, END);
      await turns();
      await failure('ERR_UNKNOWN_TOPIC', all(records));
      await client.topics.create(missing);
      await client.publish(missing, { value: 'x' });
      expect(await all(records)).toHaveLength(1);
      expect(await firstValueFrom(records.pipe(toArray()))).toHaveLength(1);
    });

    it('delivers what is written after the subscription, in offset order per partition', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen = watch(client.records(orders));
      await turns();
      const list = Array.from({ length: 100 }, (_, i) => ({ key: 'k', value: String(i), partition: i % 2 }));
      await Promise.all(list.map((record) => client.publish(orders, record)));
      await until('100 records', () => seen.records.length === 100);
      for (const partition of [0, 1]) {
        const own = seen.records.filter((record) => record.partition === partition);
        expect(own.map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, i) => i + 5));
      }
      seen.stop();
    });

    it('wakes up for records of another client', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen = watch(client.records(orders));
      await turns();
      const other = await scope.another();
      await other.publish(orders, { key: 'k', value: 'hello' });
      await until('the record', () => seen.records.length === 1);
      seen.stop();
    });

    it('asks the log for nothing while there is nothing to read', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen = watch(client.records(orders, { from: 'earliest' }));
      const loop = client.records(orders, { from: { offset: 5 } })[Symbol.asyncIterator]();
      const next = loop.next();
      await until('the old records', () => seen.records.length === 10);
      await turns(20);
      const before = scope.polls;
      await turns(200);
      expect(scope.polls).toBe(before);
      await client.publish(orders, { key: 'k', value: 'new' });
      expect((await next).value).toMatchObject({ value: 'new' });
      await loop.return();
      seen.stop();
    });

    it('begins with the earliest record and goes on with new ones', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen = watch(client.records(orders, { from: 'earliest' }));
      await until('the old records', () => seen.records.length === 10);
      await client.publish(orders, { key: 'k', value: 'new' });
      await until('the new record', () => seen.records.length === 11);
      expect(seen.complete).toBe(false);
      seen.stop();
    });

    it('begins at an offset, at offsets, at a time', async () => {
      expect(await valuesOf({ from: { offset: 3 }, until: 'end' })).toBe('a3 a4 b3 b4');
      expect(await valuesOf({ from: { offsets: new Map([[1, 4]]) }, until: 'end' })).toBe('a0 a1 a2 a3 a4 b4');
      expect(await valuesOf({ from: { offsets: [4, 2] }, until: 'end' })).toBe('a4 b2 b3 b4');
      expect(await valuesOf({ from: { time: 25 }, until: 'end' })).toBe('a3 a4 b3 b4');
      expect(await valuesOf({ from: { time: new Date(40) }, until: 'end' })).toBe('a4 b4');
      expect(await valuesOf({ from: { time: 41 }, until: 'end' })).toBe('');
      expect(await valuesOf({ until: 'end' })).toBe('');
    });

    it('ends at an offset, at offsets, at a time', async () => {
      expect(await valuesOf({ from: 'earliest', until: { offset: 2 } })).toBe('a0 a1 b0 b1');
      expect(await valuesOf({ from: 'earliest', until: { offsets: [1, 3] } })).toBe('a0 b0 b1 b2');
      expect(await valuesOf({ from: 'earliest', until: { offsets: new Map([[0, 1]]) } })).toBe('a0 b0 b1 b2 b3 b4');
      expect(await valuesOf({ from: 'earliest', until: { time: 20 } })).toBe('a0 a1 b0 b1');
      expect(await valuesOf({ from: { offset: 2 }, until: { offset: 2 } })).toBe('');
    });

    it('waits for the offset at which it ends', async () => {
      const { client } = scope;
      const orders = text(unique('wait'));
      await client.topics.create(orders);
      const seen = watch(client.records(orders, { from: 'earliest', until: { offset: 3 } }));
      for (const value of ['a', 'b', 'c', 'd']) {
        await turns();
        expect(seen.complete, value).toBe(value === 'd');
        await client.publish(orders, { key: 'k', value });
        await until(value, () => seen.records.length >= Math.min(3, Number(value.codePointAt(0)) - 96));
        await turns();
      }
      expect(seen.records.map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    });

    it("reads to the end of the moment of the subscription, with until: 'end'", async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen: string[] = [];
      for await (const { value } of client.records(orders, END)) {
        seen.push(value);
        await client.publish(orders, { key: 'k', value: 'more' });
      }
      expect(seen).toHaveLength(10);
    });

    it('reads chosen partitions', async () => {
      expect(await valuesOf({ ...END, partitions: [1] })).toBe('b0 b1 b2 b3 b4');
      await failure('ERR_UNKNOWN_PARTITION', valuesOf({ ...END, partitions: [2] }));
      await failure('ERR_UNKNOWN_PARTITION', valuesOf({ from: { offsets: [0, 0, 0] }, until: 'end' }));
    });

    it('reads several topics, each with its own serdes', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const numbers = topic(unique('numbers'), { value: int32(), partitions: 1 });
      await client.publish(numbers, { value: 7 });
      const records = await all(client.records([orders, numbers], END));
      expect(records).toHaveLength(11);
      expect(records.find(({ topic: name }) => name === numbers.name)).toMatchObject({ key: null, value: 7 });
      // One is missing: the error says which.
      const missing = topic(unique('missing'), { value: string() });
      expect((await failure('ERR_UNKNOWN_TOPIC', all(client.records([orders, missing], END)))).topic).toBe(
        missing.name,
      );
    });

    it('reads partitions that are added later, from their first record', async () => {
      const { client } = scope;
      const name = unique('grow');
      await client.topics.create(name);
      const grow = topic(name, { value: string() });
      const seen = watch(client.records(grow));
      await turns();
      await client.topics.addPartitions(name, 3);
      await client.publish(grow, { value: 'x', partition: 2 });
      await until('the record', () => seen.records.length === 1);
      expect(seen.records[0]!.partition).toBe(2);
      seen.stop();
    });

    it('passes nulls where the serde allows them, and reads without keys where there is no key serde', async () => {
      const { client } = scope;
      const name = unique('nulls');
      const full = topic(name, { key: nullable(string()), value: nullable(string()), partitions: 1 });
      await client.publishAll(full, [{ value: null }, { key: 'k', value: 'x' }]);
      expect((await all(client.records(full, END))).map(({ key, value }) => [key, value])).toEqual([
        [null, null],
        ['k', 'x'],
      ]);
      const keyless = topic(name, { value: nullable(string()) });
      expect((await all(client.records(keyless, END))).map(({ key }) => key)).toEqual([null, null]);
      await failure(
        'ERR_NULL_KEY',
        all(client.records(topic(name, { key: string(), value: nullable(string()) }), END)),
      );
    });

    it('fails with the place of a record that cannot be decoded, leaves it out, or writes it to a topic', async () => {
      const { client } = scope;
      const name = unique('numbers');
      const raw = topic(name, { key: string(), value: string(), partitions: 1 });
      await client.publishAll(
        raw,
        ['1', 'oops', '3'].map((value) => ({ key: 'k', value, timestamp: 5 })),
      );
      const numbers = topic(name, { key: string(), value: json<number>() });
      const seen: number[] = [];
      const reading = client.records(numbers, END).forEach(({ value }) => seen.push(value));
      const error = await failure('ERR_DECODE', reading);
      expect(error).toMatchObject({ topic: name, partition: 0, offset: 1 });
      expect(error.message).toContain('6f 6f 70 73'.replaceAll(' ', ''));
      expect(seen).toEqual([1]);
      const values = async (options: ReadOptions) =>
        (await all(client.records(numbers, { ...END, ...options }))).map(({ value }) => value);
      expect(await values({ onRecordError: 'skip' })).toEqual([1, 3]);
      const dead = unique('dead');
      expect(await values({ onRecordError: deadLetter(dead) })).toEqual([1, 3]);
      const [letter] = await all(client.records(topic(dead, { key: bytes(), value: bytes() }), END));
      const decode = (data: Uint8Array | null | undefined) => new TextDecoder().decode(data ?? undefined);
      expect([decode(letter!.key), decode(letter!.value)]).toEqual(['k', 'oops']);
      expect(letter!.timestamp, 'as old as the failure').toBeGreaterThan(5);
      const headers = new Map(letter!.headers.map(([header, value]) => [header, decode(value)]));
      expect(headers.get('millrace.error.code')).toBe('ERR_DECODE');
      expect(headers.get('millrace.origin.offset')).toBe('1');
      expect(headers.get('millrace.origin.timestamp')).toBe('5');
      // A letter that is too large is cut.
      const narrow = unique('narrow');
      await client.topics.create(narrow, { config: { maxMessageBytes: 1000 } });
      await client.publish(raw, { key: 'k', value: 'x'.repeat(5000) });
      expect(await values({ onRecordError: deadLetter(narrow) })).toEqual([1, 3]);
      const cut = await all(client.records(topic(narrow, { key: bytes(), value: string() }), END));
      expect(cut.map(({ value }) => value.replace(/^x{10,}$/, 'x…'))).toEqual(['oops', 'x…']);
      // The topic may say it too.
      const lenient = topic(name, { key: string(), value: json<number>(), onRecordError: 'skip' });
      expect(await all(client.records(lenient, END))).toHaveLength(2);
    });

    it('fails with the lost range when records are gone, or goes on where it is told', async () => {
      const { client } = scope;
      const orders = await filled(client);
      await client.topics.deleteRecords(orders, [{ partition: 0, offset: 3 }]);
      const from = { offset: 1 };
      const lost = await failure('ERR_OFFSET_OUT_OF_RANGE', all(client.records(orders, { from, until: 'end' })));
      expect(lost).toMatchObject({ topic: orders.name, partition: 0, offset: 1, lastOffset: 2 });
      const options = { from, until: { offset: 6 } } as const;
      const earliest = watch(client.records(orders, { ...options, outOfRange: 'earliest' }));
      await until('what is left', () => earliest.records.length === 6);
      expect(earliest.records.map(({ value }) => value).sort()).toEqual(['a3', 'a4', 'b1', 'b2', 'b3', 'b4']);
      const latest = watch(client.records(orders, { ...options, outOfRange: 'latest' }));
      await until('the other partition', () => latest.records.length === 4);
      for (const partition of [0, 1]) await client.publish(orders, { key: 'k', value: 'new', partition });
      await until('both ends', () => earliest.complete && latest.complete);
      expect(latest.records.filter(({ partition }) => partition === 0).map(({ value }) => value)).toEqual(['new']);
    });

    it('fails when the topic is deleted', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen = watch(client.records(orders));
      await turns();
      await client.topics.delete(orders);
      await until('the error', () => seen.error);
      expect(seen.error).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC', topic: orders.name });
    });

    it('delivers in slices, so that timers and other work get their turn', async () => {
      const { client } = scope;
      const orders = text(unique('slices'));
      await client.publishAll(
        orders,
        Array.from({ length: 10_000 }, () => ({ key: 'k', value: 'x' })),
      );
      for (const read of ['subscribe', 'for await'] as const) {
        let turned = 0;
        let reading = true;
        const tick = (): void => {
          turned += 1;
          if (reading) setImmediate(tick);
        };
        setImmediate(tick);
        const records = client.records(orders, END);
        if (read === 'subscribe') await records.forEach(() => undefined);
        else await all(records);
        reading = false;
        expect(turned, read).toBeGreaterThan(10);
      }
    });

    it('pulls no faster than the loop asks, and lets go when it is left', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const seen: string[] = [];
      for await (const { value } of client.records(orders, { from: 'earliest' })) {
        seen.push(value);
        await turns();
        if (seen.length === 3) break;
      }
      expect(seen).toHaveLength(3);
      await expect(
        (async () => {
          for await (const _ of client.records(orders, { from: 'earliest' })) throw new Error('body');
        })(),
      ).rejects.toThrow('body');
      // Closing waits for every subscription: none is left.
      await client.close();
    });

    it('works with RxJS operators, and stops when they have enough', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const values = client.records(orders, { from: 'earliest' }).pipe(
        filter(({ partition }) => partition === 1),
        map(({ value }) => value),
        take(2),
        toArray(),
      );
      expect(await firstValueFrom(values)).toEqual(['b0', 'b1']);
    });

    it('takes no harm from a subscriber that unsubscribes or fails in the middle of a slice', async () => {
      const { client } = scope;
      const orders = await filled(client);
      let count = 0;
      const subscription = client.records(orders, { from: 'earliest' }).subscribe(() => {
        count += 1;
        if (count === 3) subscription.unsubscribe();
      });
      const failing = client.records(orders, END).pipe(
        map(({ value }) => {
          if (value === 'a2') throw new Error('mine');
          return value;
        }),
      );
      await expect(firstValueFrom(failing.pipe(toArray()))).rejects.toThrow('mine');
      await until('three', () => count === 3);
      await turns();
      expect(count).toBe(3);
      expect(await all(client.records(orders, END))).toHaveLength(10);
    });

    it('ends with the reason of its signal', async () => {
      const { client } = scope;
      const orders = await filled(client);
      const abort = new AbortController();
      const seen = watch(client.records(orders, { signal: abort.signal }));
      const loop = all(client.records(orders, { signal: abort.signal }));
      await turns();
      abort.abort(new Error('enough'));
      await expect(loop).rejects.toThrow('enough');
      await until('the error', () => seen.error);
      await expect(all(client.records(orders, { signal: abort.signal }))).rejects.toThrow('enough');
    });
  });

  describe('the client', () => {
    const scope = useClients(openLog);

    it('knows offsets, sets and reports what groups have committed, and their lag', async () => {
      const { client } = scope;
      const orders = text(unique('lag'), 2);
      await client.publishAll(
        orders,
        Array.from({ length: 6 }, (_, i) => ({ key: 'k', value: 'x', partition: i % 2, timestamp: i * 10 })),
      );
      expect(await client.offsets(orders, 'latest')).toEqual(
        new Map([
          [0, 3],
          [1, 3],
        ]),
      );
      expect(await client.offsets(orders.name, { time: new Date(25) })).toEqual(
        new Map([
          [0, 2],
          [1, 1],
        ]),
      );
      await client.topics.deleteRecords(orders, [{ partition: 0, offset: 1 }]);
      expect(await client.offsets(orders, 'earliest')).toEqual(
        new Map([
          [0, 1],
          [1, 0],
        ]),
      );
      expect(await client.committed('billing', orders)).toEqual(new Map());
      expect(await client.lag('billing', orders)).toEqual(
        new Map([
          [0, 2],
          [1, 3],
        ]),
      );
      await client.setCommitted('billing', orders, new Map([[1, 2]]));
      expect(await client.committed('billing', orders)).toEqual(new Map([[1, 2]]));
      expect(await client.lag('billing', orders)).toEqual(
        new Map([
          [0, 2],
          [1, 1],
        ]),
      );
      await client.setCommitted('billing', orders, [3, 3]);
      expect(await client.lag('billing', orders)).toEqual(
        new Map([
          [0, 0],
          [1, 0],
        ]),
      );
      await failure('ERR_UNKNOWN_PARTITION', client.setCommitted('billing', orders, [0, 0, 0]));
      await failure('ERR_OPTION', client.setCommitted('billing', orders, [-1]));
      await failure('ERR_UNKNOWN_TOPIC', client.offsets(unique('nothing'), 'latest'));
    });

    it('administers topics by name or by what topic(…) returned', async () => {
      const { client } = scope;
      const orders = text(unique('admin'), 3);
      await client.topics.create(orders);
      await client.topics.create(orders, { ifMissing: true });
      await failure('ERR_TOPIC_EXISTS', client.topics.create(orders.name));
      await client.topics.configure(orders, { retentionMs: 1_000 });
      await client.topics.addPartitions(orders, 4);
      expect(await client.topics.describe(orders.name)).toMatchObject({
        partitions: 4,
        config: { retentionMs: 1_000 },
      });
      expect(await client.topics.list()).toContain(orders.name);
      await client.topics.delete(orders);
      expect(await client.topics.describe(orders)).toBeUndefined();
    });

    it('flushes and closes: what was published before is acknowledged, what comes after is refused', async () => {
      const { client } = scope;
      const orders = text(unique('close'));
      const published = Array.from({ length: 10 }, () => client.publish(orders, { key: 'k', value: 'x' }));
      await client.flush();
      expect(scope.sends).toHaveLength(1);
      published.push(client.publish(orders, { key: 'k', value: 'y' }));
      const endless = watch(client.records(orders));
      const bounded = watch(client.records(orders, { from: 'earliest', until: { offset: 100 } }));
      await until('the records', () => bounded.records.length >= 10);
      const closing = client.close();
      expect(client.close()).toBe(closing);
      await closing;
      await Promise.all(published);
      await until('both ends', () => endless.complete && bounded.error !== undefined);
      expect(bounded.error, 'a bounded subscription must not look complete').toMatchObject({ code: 'ERR_CLOSED' });
      const refused = await failure('ERR_CLOSED', client.publish(orders, { key: 'k', value: 'x' }));
      expect(refused.written).toBe('no');
      await failure('ERR_CLOSED', client.publishAll(orders, []));
      await failure('ERR_CLOSED', all(client.records(orders, END)));
      await failure('ERR_CLOSED', firstValueFrom(client.records(orders, END)));
      await failure('ERR_CLOSED', client.topics.list());
      await failure('ERR_CLOSED', client.offsets(orders, 'latest'));
      const other = await scope.another();
      expect(await other.offsets(orders, 'latest')).toEqual(new Map([[0, 11]]));
    });

    it('closes within its deadline when a write hangs, and says what may have been written', async () => {
      const client = await scope.another({ closeDeadline: '20ms' });
      const orders = text(unique('hang'));
      await client.publish(orders, { key: 'k', value: 'x' });
      let release: () => void = () => undefined;
      scope.beforeSend = () => new Promise((resolve) => (release = resolve));
      const hanging = client.publish(orders, { key: 'k', value: 'y' });
      await turns();
      const waiting = client.publish(orders, { key: 'k', value: 'z' });
      const failures = Promise.all([hanging, waiting].map((each) => failure('ERR_CLOSE_DEADLINE', each)));
      await client.close();
      expect((await failures).map(({ written }) => written)).toEqual(['unknown', 'no']);
      release();
    });
  });
}
