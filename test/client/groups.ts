import { concatMap, firstValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deadLetter } from '../../src/options/record-policy.ts';
import { json, string } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { failure, type TestLog, unique, until } from '../contract/support.ts';
import { all, turns, useClients, watch } from './scope.ts';

const text = (name: string, partitions = 1) => topic(name, { key: string(), value: string(), partitions });

/** Reading as a member of a group. */
export function groupSuite(openLog: () => Promise<TestLog>): void {
  describe('records of a group', () => {
    const scope = useClients(openLog);
    const setUp = async (partitions: number, count: number) => {
      const orders = text(unique('orders'), partitions);
      await scope.client.publishAll(
        orders,
        Array.from({ length: count }, (_, i) => ({ key: 'k', value: String(i), partition: i % partitions })),
      );
      return { orders, group: unique('billing') };
    };
    const BOUNDED = { from: 'earliest', until: 'end' } as const;

    it('commits what was read to the end, and goes on there', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(2, 10);
      expect(await all(client.records(orders, { ...BOUNDED, group }))).toHaveLength(10);
      expect(await client.committed(group, orders)).toEqual(
        new Map([
          [0, 5],
          [1, 5],
        ]),
      );
      await client.publish(orders, { key: 'k', value: 'new', partition: 1 });
      const again = await firstValueFrom(client.records(orders, { ...BOUNDED, group }).pipe(toArray()));
      expect(again.map(({ value }) => value)).toEqual(['new']);
      expect(await client.lag(group, orders)).toEqual(
        new Map([
          [0, 0],
          [1, 0],
        ]),
      );
    });

    it('begins with new records, and does not pass over what comes while nobody reads', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 3);
      const first = watch(client.records(orders, { group, commitInterval: '5ms' }));
      await committedAt(group, orders, 3);
      first.stop();
      await client.publish(orders, { key: 'k', value: 'meanwhile' });
      const second = watch(client.records(orders, { group }));
      await until('the record', () => second.records.length === 1);
      expect(second.records[0]!.value).toBe('meanwhile');
      second.stop();
    });

    it('does so also on partitions without a record, and where the program commits by itself and has not yet', async () => {
      const { client } = scope;
      const orders = text(unique('orders'), 2);
      await client.topics.create(orders);
      for (const commit of ['auto', 'explicit'] as const) {
        const group = unique('billing');
        const ends = await client.offsets(orders, 'latest');
        const first = watch(client.records(orders, { group, commit }));
        await committedAt(group, orders, ends.get(0) as number);
        first.stop();
        await client.publish(orders, { key: 'k', value: commit, partition: 0 });
        const second = watch(client.records(orders, { group, commit }));
        await until('the record', () => second.records.length === 1);
        expect(second.records[0]!.value).toBe(commit);
        second.stop();
      }
    });

    /** Waits for a commit of partition 0. */
    async function committedAt(group: string, orders: { name: string }, offset: number): Promise<void> {
      let committed = -1;
      const poll = async (): Promise<void> => {
        while (committed !== offset) {
          committed = (await scope.client.committed(group, orders)).get(0) ?? -1;
          await turns(1);
        }
      };
      const polling = poll();
      await until(`offset ${offset} to be committed`, () => committed === offset);
      await polling;
    }

    it('commits now and then while it is open, and when it is unsubscribed', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 5);
      const seen = watch(client.records(orders, { group, from: 'earliest', commitInterval: '5ms' }));
      await until('five records', () => seen.records.length === 5);
      await committedAt(group, orders, 5);
      seen.stop();
      const slow = watch(client.records(orders, { group, commitInterval: '1h' }));
      await client.publish(orders, { key: 'k', value: 'x' });
      await until('the record', () => slow.records.length === 1);
      slow.stop();
      await committedAt(group, orders, 6);
    });

    it('does not commit a record whose processing failed, nor the one at which a loop was left', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 5);
      const failing = client.records(orders, { ...BOUNDED, group }).forEach(({ value }) => {
        if (value === '2') throw new Error('mine');
      });
      await expect(failing).rejects.toThrow('mine');
      await committedAt(group, orders, 2);
      for await (const { value } of client.records(orders, { ...BOUNDED, group })) if (value === '3') break;
      await committedAt(group, orders, 3);
      expect(await firstValueFrom(client.records(orders, { ...BOUNDED, group }))).toMatchObject({ value: '3' });
    });

    it('shares the partitions between members, and gives those of one that leaves to the others', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(4, 0);
      const options = { group, from: 'earliest', commitInterval: '1h' } as const;
      const other = await scope.another();
      const [a, b] = [watch(client.records(orders, options)), watch(other.records(orders, options))];
      const seen = () => [...a.records, ...b.records].map(({ value }) => value).sort();
      // Records go round until both members have had some: by then the partitions are shared.
      let round = 0;
      await until('both members to read', () => {
        void client.publishAll(
          orders,
          [0, 1, 2, 3].map((partition) => ({ key: 'k', value: `${round}/${partition}`, partition })),
        );
        round += 1;
        return a.records.length > 0 && b.records.length > 0;
      });
      await client.flush();
      await until('all records', () => seen().length >= round * 4);
      a.stop();
      await client.publishAll(
        orders,
        [0, 1, 2, 3].map((partition) => ({ key: 'k', value: `last/${partition}`, partition })),
      );
      await until('b to have everything', () => b.records.filter(({ value }) => value.startsWith('last')).length === 4);
      // A member commits before its partitions move, so nothing is read twice.
      const values = seen();
      expect(new Set(values).size).toBe(values.length);
      expect(values).toHaveLength(round * 4 + 4);
      b.stop();
    });

    it('lets the program commit, and reads again what it did not commit', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 5);
      const options = { ...BOUNDED, group, commit: 'explicit' } as const;
      for await (const record of client.records(orders, options)) if (record.value === '1') await record.commit();
      expect(await client.committed(group, orders)).toEqual(new Map([[0, 2]]));
      const again = await firstValueFrom(
        client.records(orders, options).pipe(
          concatMap(async (record) => {
            await record.commit();
            return record.value;
          }),
          take(2),
          toArray(),
        ),
      );
      expect(again).toEqual(['2', '3']);
      expect(await client.committed(group, orders)).toEqual(new Map([[0, 4]]));
    });

    it('shares a write between commits of the same moment, and never goes back', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(2, 10);
      const records = client.records(orders, { group, from: 'earliest', commit: 'explicit' });
      const seen = watch(records);
      await until('ten records', () => seen.records.length === 10);
      await Promise.all(seen.records.toReversed().map((record) => record.commit()));
      expect(await client.committed(group, orders)).toEqual(
        new Map([
          [0, 5],
          [1, 5],
        ]),
      );
      await seen.records[0]!.commit();
      expect(await client.committed(group, orders)).toEqual(
        new Map([
          [0, 5],
          [1, 5],
        ]),
      );
      seen.stop();
      await seen.records[0]!.commit();
    });

    it('commits also after the subscription has ended, while nobody else reads', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 3);
      const options = { group, from: 'earliest', commit: 'explicit' } as const;
      const next = () => firstValueFrom(client.records(orders, options));
      for (const value of ['0', '1']) {
        const record = await next();
        expect(record.value).toBe(value);
        await record.commit();
      }
      const last = await next();
      const other = await scope.another();
      const b = watch(other.records(orders, options));
      await until('b to read the record', () => b.records.length === 1);
      await failure('ERR_STALE_GENERATION', last.commit());
      b.stop();
    });

    it('refuses the commit of a record whose partition went to another member', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(2, 2);
      const options = { group, from: 'earliest', commit: 'explicit' } as const;
      const a = watch(client.records(orders, options));
      await until('both records', () => a.records.length === 2);
      const other = await scope.another();
      const b = watch(other.records(orders, options));
      await until('b to read again what was not committed', () => b.records.length === 1);
      const { partition } = b.records[0]!;
      const moved = a.records.find((record) => record.partition === partition);
      const kept = a.records.find((record) => record.partition !== partition);
      const error = await failure('ERR_STALE_GENERATION', moved!.commit());
      expect(error).toMatchObject({ errorClass: 'migrated', written: 'no', partition });
      await kept!.commit();
      await b.records[0]!.commit();
      expect(await client.committed(group, orders)).toEqual(
        new Map([
          [0, 1],
          [1, 1],
        ]),
      );
      a.stop();
      b.stop();
    });

    it('commits a record that cannot be decoded after its dead letter is written, and not before', async () => {
      const { client } = scope;
      const { group, orders } = await setUp(1, 0);
      await client.publishAll(
        orders,
        ['1', 'oops', '3'].map((value) => ({ key: 'k', value })),
      );
      const numbers = topic(orders.name, { key: string(), value: json<number>() });
      const dead = unique('dead');
      scope.beforeSend = (batches) => {
        if (batches[0]!.topic === dead) throw new Error('unreachable');
      };
      const options = { ...BOUNDED, group, onRecordError: deadLetter(dead) } as const;
      await failure('ERR_PUBLISH', all(client.records(numbers, options)));
      expect(await client.committed(group, orders)).toEqual(new Map([[0, 1]]));
      scope.beforeSend = () => undefined;
      expect((await all(client.records(numbers, options))).map(({ value }) => value)).toEqual([3]);
      expect(await client.committed(group, orders)).toEqual(new Map([[0, 3]]));
      expect(await client.offsets(dead, 'latest')).toEqual(new Map([[0, 1]]));
    });

    it('commits when the client is closed', async () => {
      const { group, orders } = await setUp(1, 5);
      const other = await scope.another();
      const seen = watch(other.records(orders, { group, from: 'earliest', commitInterval: '1h' }));
      await until('five records', () => seen.records.length === 5);
      await other.close();
      expect(await scope.client.committed(group, orders)).toEqual(new Map([[0, 5]]));
      await failure('ERR_GROUP_ACTIVE', blocked(group, orders));
    });

    async function blocked(group: string, orders: ReturnType<typeof text>): Promise<void> {
      const seen = watch(scope.client.records(orders, { group }));
      await turns(10);
      try {
        await scope.client.setCommitted(group, orders, [0]);
      } finally {
        seen.stop();
      }
    }
  });
}
