import { agg, aggregate, int32, joinTable, json, string, table, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { merge } from 'rxjs';
import { expect, it } from 'vitest';
import { plan } from '../../plan/topology.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { readStore } from '../../state/store-reader.ts';
import { storedSpecs } from './stored-specs.ts';

const numbers = topic('numbers', { key: string(), value: int32() });
const users = table('users', { key: string(), value: json<{ name: string }>() });

it('reads what a pipeline has stored by its specs alone, without running it', () => {
  const stores = memoryStores();
  const pipeline = merge(
    numbers.pipe(aggregate({ sum: agg.sum((n: number) => n), count: agg.count() }, { store: 'sums' })),
    numbers.pipe(windowBy(tumbling({ size: '10ms', grace: '0s' }), agg.count(), { store: 'counts' })),
    numbers.pipe(joinTable(users, (n, user) => `${user.name} ${n}`)),
  );
  const driver = new TestDriver(pipeline, { stores });
  driver.pipe(
    { use: users.use, name: 'users', key: string(), value: users.value },
    { key: 'a', value: { name: 'Ada' } },
  );
  driver.pipe(numbers, { key: 'a', value: 3, timestamp: 4 });
  driver.pipe(numbers, { key: 'a', value: 4, timestamp: 5 });

  const specs = storedSpecs(plan(pipeline));
  const bytesOf = (store: string) => stores.open({ applicationId: 'test', store, partition: 0 });
  const sums = specs.get('sums');
  const counts = specs.get('counts');
  const rows = specs.get('users');
  if (sums?.kind !== 'keyValue' || counts?.kind !== 'window' || rows?.kind !== 'keyValue') throw new Error('kinds');
  expect(readStore(sums, bytesOf('sums')).get('a')).toEqual({ key: 'a', value: { sum: 7, count: 2 }, timestamp: 5 });
  expect([...readStore(counts, bytesOf('counts')).windowsOf('a')]).toEqual([
    { key: 'a', value: 2, timestamp: 5, window: { start: 0, end: 10 } },
  ]);
  expect(readStore(rows, bytesOf('users')).get('a')?.value).toEqual({ name: 'Ada' });
});
