import { describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { ReadOptions } from '../../src/client/read/read-options.ts';
import { json } from '../../src/serdes/index.ts';
import { topic } from '../../src/streams/topic.ts';
import { type TestLog, unique, until } from '../contract/support.ts';
import { all, type Seen, useClients, watch } from './scope.ts';

const numbers = (name: string, partitions = 1) => topic(name, { value: json<number>(), partitions });
const BOUNDED = { from: 'earliest', until: 'end' } as const;
/** Short, so that tests do not wait for what others have created. */
const SOON = { metadataMaxAge: '20ms' } as const;

/** Topics that are known by a pattern only. */
export function patternSuite(openLog: () => Promise<TestLog>): void {
  describe('records of a pattern', () => {
    const scope = useClients(openLog);
    const read = (client: Client, prefix: string, options: ReadOptions = {}) =>
      client.records(new RegExp(`^${prefix}-`), { value: json<number>(), ...options });
    const valuesOf = (records: readonly { readonly value: number }[]): number[] => records.map(({ value }) => value);

    /** Waits until a subscription to new records is open: it delivers one of those that are written meanwhile. */
    async function live(seen: Seen<{ readonly value: number }>, client: Client, name: string): Promise<void> {
      const topicOf = numbers(name);
      let writing = Promise.resolve();
      await until('the first new record', () => {
        writing = writing.then(() => client.publish(topicOf, { value: 0 })).then(() => undefined);
        return seen.records.length > 0;
      });
      await writing;
    }

    it('are those of the topics that match, also where the pattern remembers its place', async () => {
      const { client } = scope;
      const prefix = unique('region');
      await client.publish(numbers(`${prefix}-north`), { value: 1 });
      await client.publish(numbers(`other-${prefix}-north`), { value: 99 });
      await client.publish(numbers(`${prefix}-south`), { value: 2 });
      const pattern = new RegExp(`^${prefix}-`, 'g');
      const records = await all(client.records(pattern, { value: json<number>(), ...BOUNDED }));
      expect(records.map(({ topic: name, value }) => `${name.slice(prefix.length)} ${value}`).toSorted()).toEqual([
        '-north 1',
        '-south 2',
      ]);
    });

    it('come from a topic that is created later too, all of them', async () => {
      const { client } = scope;
      const prefix = unique('region');
      await client.publish(numbers(`${prefix}-north`), { value: -1 });
      // New records only: the one that is there already is not delivered.
      const seen = watch(read(client, prefix, SOON));
      await live(seen, client, `${prefix}-north`);
      const later = () => valuesOf(seen.records).filter((value) => value !== 0);
      await client.publish(numbers(`${prefix}-south`), { value: 2 });
      await until('the record of the new topic', () => later().length === 1);
      // Created and filled by somebody else, before this client looks again.
      const other = await scope.another();
      await other.publishAll(numbers(`${prefix}-west`), [{ value: 3 }, { value: 4 }]);
      await other.publish(numbers(`other-${prefix}`), { value: 99 });
      await until('the records of the other one', () => later().length === 3);
      expect(later()).toEqual([2, 3, 4]);
      seen.stop();
    });

    it('come at once from a topic that this client creates', async () => {
      const { client } = scope;
      const prefix = unique('region');
      const seen = watch(read(client, prefix, { from: 'earliest', metadataMaxAge: '1h' }));
      await client.publish(numbers(`${prefix}-north`), { value: 1 });
      await client.topics.create(`${prefix}-south`);
      await client.publish(numbers(`${prefix}-south`), { value: 2 });
      await until('both', () => seen.records.length === 2);
      seen.stop();
    });

    it('come from a topic that somebody else creates, without any option', async () => {
      const { client } = scope;
      const prefix = unique('region');
      const seen = watch(read(client, prefix, { from: 'earliest' }));
      await client.publish(numbers(`${prefix}-north`), { value: 1 });
      await until('the first', () => seen.records.length === 1);
      const other = await scope.another();
      await other.publish(numbers(`${prefix}-south`), { value: 2 });
      await until('the second', () => seen.records.length === 2);
      seen.stop();
    });

    it('go on when a topic is deleted', async () => {
      const { client } = scope;
      const prefix = unique('region');
      await client.publish(numbers(`${prefix}-north`), { value: 1 });
      await client.publish(numbers(`${prefix}-south`), { value: 2 });
      const seen = watch(read(client, prefix, { ...SOON, from: 'earliest' }));
      await until('both', () => seen.records.length === 2);
      await client.topics.delete(`${prefix}-north`);
      await client.publish(numbers(`${prefix}-south`), { value: 3 });
      await until('the next record', () => seen.records.length === 3);
      expect(seen.error).toBeUndefined();
      seen.stop();
    });

    it('are shared by the members of a group, also of topics that come later', async () => {
      const prefix = unique('shop');
      const group = unique('billing');
      const first = numbers(`${prefix}-a`, 4);
      await scope.client.topics.create(first);
      // The members do not look for new topics at the same time.
      const members = [await scope.another(), await scope.another()].map((client, i) =>
        watch(read(client, prefix, { group, from: 'earliest', metadataMaxAge: i === 0 ? '10ms' : '300ms' })),
      );
      const seen = () => members.flatMap(({ records }) => valuesOf(records));
      let sent = 0;
      const publish = async (name: string): Promise<void> => {
        const list = [0, 1, 2, 3].map((partition) => ({ value: sent++, partition }));
        await scope.client.publishAll(numbers(name, 4), list);
      };
      await publish(first.name);
      await until('the records of the first', () => new Set(seen()).size === 4);
      for (const name of ['b', 'c']) {
        await publish(`${prefix}-${name}`);
        await until(`the records of ${name}`, () => new Set(seen()).size === sent);
      }
      expect(members.map(({ error }) => error)).toEqual([undefined, undefined]);
      for (const member of members) member.stop();
    });

    it('go on after a restart: with committed topics where they were, with new ones as `from` says', async () => {
      const { client } = scope;
      const prefix = unique('shop');
      const group = unique('billing');
      const options = { ...BOUNDED, group } as const;
      await client.publishAll(numbers(`${prefix}-a`), [{ value: 1 }, { value: 2 }]);
      expect(valuesOf(await all(read(client, prefix, options)))).toEqual([1, 2]);
      // While nobody reads:
      await client.publish(numbers(`${prefix}-a`), { value: 3 });
      await client.publish(numbers(`${prefix}-b`), { value: 4 });
      expect(new Set(valuesOf(await all(read(client, prefix, options))))).toEqual(new Set([3, 4]));
      await client.publish(numbers(`${prefix}-a`), { value: 5 });
      await client.publish(numbers(`${prefix}-c`), { value: 6 });
      expect(valuesOf(await all(read(client, prefix, { ...options, from: 'latest' })))).toEqual([5]);
    });
  });
}
