import type { Observable } from 'rxjs';
import { expectTypeOf, test } from 'vitest';
import type { StreamRecord } from '../record.ts';
import { json, string } from '../serdes/index.ts';
import { topic } from '../streams/topic.ts';
import { table } from '../tables/topic-table.ts';
import type { Client } from './client.ts';
import type { Published } from './publish/published.ts';
import type { CommittableRecord } from './read/committable-record.ts';

declare const client: Client;
const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
const plain = topic('plain', { value: string() });
const users = table('users', { key: string(), value: json<{ name: string }>() });

test('records have the types of the topic', () => {
  expectTypeOf(client.records(orders)).toExtend<Observable<StreamRecord<string, { total: number }>>>();
  expectTypeOf(client.records(orders)).toExtend<AsyncIterable<StreamRecord<string, { total: number }>>>();
  expectTypeOf(client.records(plain, { from: 'earliest' })).toExtend<Observable<StreamRecord<null, string>>>();
  expectTypeOf(client.records(users)).toExtend<Observable<StreamRecord<string, { name: string }>>>();
  expectTypeOf(client.records([orders, plain])).toExtend<
    Observable<StreamRecord<string, { total: number }> | StreamRecord<null, string>>
  >();
  expectTypeOf(client.records(/^o/, { value: json<number>() })).toExtend<Observable<StreamRecord<null, number>>>();
});

test('only records of a group in which the program commits have commit()', () => {
  const explicit = client.records(orders, { group: 'g', commit: 'explicit' });
  expectTypeOf(explicit).toExtend<Observable<CommittableRecord<string, { total: number }>>>();
  explicit.subscribe((record) => expectTypeOf(record.commit).returns.resolves.toBeVoid());
  // @ts-expect-error the client commits
  client.records(orders, { group: 'g' }).subscribe((record) => record.commit());
});

test('what is published fits the topic', () => {
  expectTypeOf(client.publish(orders, { key: 'o', value: { total: 1 } })).resolves.toEqualTypeOf<Published>();
  expectTypeOf(client.publish(users, { key: 'u', value: null })).resolves.toEqualTypeOf<Published>();
  // @ts-expect-error another value
  void client.publish(orders, { key: 'o', value: { totl: 1 } });
  // @ts-expect-error another key
  void client.publish(orders, { key: 1, value: { total: 1 } });
  // @ts-expect-error no value
  void client.publish(orders, { key: 'o' });
  // @ts-expect-error a pattern needs serdes
  client.records(/^o/);
});
