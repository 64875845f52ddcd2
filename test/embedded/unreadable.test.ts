import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  bytes,
  connect,
  deadLetter,
  globalTable,
  joinTable,
  json,
  mapValues,
  nullable,
  type Pipeline,
  type RecordPolicy,
  run,
  string,
  table,
  to,
  topic,
} from 'millrace';
import { beforeEach, describe, expect, it } from 'vitest';
import * as at from '../../src/protocol/batch-format.ts';
import { Catalog } from '../../src/transports/embedded/catalog.ts';
import { recordKey } from '../../src/transports/embedded/keys.ts';
import { DATA_FILE, flushToDisk, openDatabases } from '../../src/transports/embedded/lmdb.ts';
import { folder } from './children.ts';

const numbers = topic('numbers', { key: string(), value: json<number>(), partitions: 1 });
const rows = topic('rows', { key: string(), value: json<number>(), partitions: 1 });
const out = topic('out', { key: string(), value: json<number>() });
const dead = topic('dead', { key: nullable(bytes()), value: bytes() });

/** Batches of three records; of those at offset 3 and 6 the bytes are changed. */
async function damaged(
  change: (batch: Uint8Array) => Uint8Array,
  compression: 'none' | 'gzip' = 'none',
): Promise<string> {
  const path = await folder('unreadable');
  const client = await connect({ path, compression });
  for (const name of [numbers, rows]) {
    await client.topics.create(name);
    for (const first of [0, 3, 6, 9]) {
      await client.publishAll(
        name,
        [first, first + 1, first + 2].map((value) => ({ key: `k${value}`, value, timestamp: 5 })),
      );
    }
  }
  await client.close();
  const db = await openDatabases(join(path, DATA_FILE), {});
  const topics = new Catalog(db).topics();
  for (const name of ['numbers', 'rows']) {
    for (const offset of [3, 6]) {
      const key = recordKey(topics.get(name)!.id, 0, offset);
      await db.log.put(key, Buffer.from(change(Uint8Array.from(db.log.getBinary(key)!))));
    }
  }
  await flushToDisk(db);
  await db.root.close();
  await rm(join(path, 'clean.json'), { force: true });
  return path;
}

const flipped = (batch: Uint8Array, index: number): Uint8Array => batch.with(index, batch[index]! ^ 1);

const damages: readonly (readonly [string, (batch: Uint8Array) => Uint8Array])[] = [
  ['a flipped bit', (batch) => flipped(batch, batch.length - 1)],
  ['a flipped bit in what says how far it reaches', (batch) => batch.with(at.LAST_OFFSET_DELTA + 2, 9)],
  ['an unknown codec', (batch) => batch.with(at.ATTRIBUTES + 1, 7)],
  ['an older format', (batch) => batch.with(at.MAGIC, 1)],
  ['half of it', (batch) => batch.slice(0, batch.length >> 1)],
  ['noise', (batch) => batch.map((byte, index) => byte ^ (index * 37))],
];

describe.each(damages)('a batch that cannot be read: %s', (_name, change) => {
  let path: string;
  beforeEach(async () => {
    path = await damaged(change);
  });

  it('stops who reads it, unless told otherwise', async () => {
    const corrupt = { code: 'ERR_CORRUPT_BATCH', topic: 'numbers', partition: 0, offset: 3, lastOffset: 5 };
    const pipeline = numbers.pipe(to(out));
    await expect(run(pipeline, { applicationId: 'stops', path, until: 'end' }).done).rejects.toMatchObject(corrupt);
    const client = await connect({ path });
    const seen: number[] = [];
    const reading = client.records(numbers, { from: 'earliest', until: 'end' });
    await expect(reading.forEach(({ value }) => seen.push(value))).rejects.toMatchObject(corrupt);
    expect(seen).toEqual([0, 1, 2]);
    await client.close();
  });

  it.each<readonly [string, Pipeline, readonly number[]]>([
    ['a source', numbers.pipe(to(topic('of-source', { key: string(), value: json<number>() }))), [0, 1, 2, 9, 10, 11]],
    [
      'a table',
      topic('ok', { key: string(), value: json<number>(), partitions: 1 }).pipe(
        joinTable(table('rows', { key: string(), value: json<number>() }), (_n, row) => row),
        to(topic('of-table', { key: string(), value: json<number>() })),
      ),
      [0, 9],
    ],
    [
      'a global table',
      topic('ok', { key: string(), value: json<number>(), partitions: 1 }).pipe(
        joinTable(globalTable('rows', { key: string(), value: json<number>() }), (_n, row) => row, {
          key: (_n, { key }) => key,
        }),
        to(topic('of-global', { key: string(), value: json<number>() })),
      ),
      [0, 9],
    ],
  ])('is passed over as a whole by %s, and counted by records', async (name, pipeline, values) => {
    const client = await connect({ path });
    const ok = topic('ok', { key: string(), value: json<number>(), partitions: 1 });
    await client.topics.create(ok, { ifMissing: true });
    if ((await client.offsets(ok, 'latest')).get(0) === 0) {
      await client.publishAll(
        ok,
        ['k0', 'k4', 'k9'].map((key) => ({ key, value: 1, timestamp: 10 })),
      );
    }
    const suffix = name.replaceAll(' ', '-');
    for (const policy of ['skip', deadLetter(`dead-${suffix}`)] satisfies RecordPolicy[]) {
      const applicationId = `${suffix}-${typeof policy}`;
      const app = run(pipeline, { applicationId, path, until: 'end', onRecordError: policy });
      await app.done;
      expect(app.snapshot().errors).toBe(6);
    }
    const names = { 'a source': 'of-source', 'a table': 'of-table', 'a global table': 'of-global' } as const;
    const result: number[] = [];
    const written = topic(names[name as keyof typeof names], { key: string(), value: json<number>() });
    await client.records(written, { from: 'earliest', until: 'end' }).forEach(({ value }) => result.push(value));
    expect(result).toEqual([...values, ...values]);
    const letters: { value: Uint8Array; headers: Map<string, string> }[] = [];
    await client
      .records(topic(`dead-${suffix}`, { value: bytes() }), { from: 'earliest', until: 'end' })
      .forEach((letter) => {
        const headers = letter.headers.map(
          ([key, text]) => [key, new TextDecoder().decode(text ?? undefined)] as const,
        );
        letters.push({ value: letter.value, headers: new Map(headers) });
      });
    const ranges = letters.map(({ headers }) => [
      headers.get('millrace.origin.offset'),
      headers.get('millrace.origin.last-offset'),
    ]);
    expect(ranges).toEqual([
      ['3', '5'],
      ['6', '8'],
    ]);
    expect(letters[0]?.headers.get('millrace.error.code')).toBe('ERR_CORRUPT_BATCH');
    expect(letters[0]?.value.length, 'the batch as it was read').toBeGreaterThan(40);
    await client.close();
  });

  it('is passed over by subscriptions, with and without a group', async () => {
    const client = await connect({ path });
    for (const onRecordError of ['skip', deadLetter('dead')] satisfies RecordPolicy[]) {
      for (const group of [undefined, `group-${typeof onRecordError}`]) {
        const seen: number[] = [];
        const options = {
          from: 'earliest',
          until: 'end',
          onRecordError,
          ...(group === undefined ? {} : { group }),
        } as const;
        await client.records(numbers, options).forEach(({ value }) => seen.push(value));
        expect(seen).toEqual([0, 1, 2, 9, 10, 11]);
        if (group !== undefined) expect(await client.committed(group, numbers)).toEqual(new Map([[0, 12]]));
      }
    }
    const bound: number[] = [];
    const until = { from: { offset: 4 }, until: { offset: 8 }, onRecordError: 'skip' } as const;
    await client.records(numbers, until).forEach(({ value }) => bound.push(value));
    expect(bound).toEqual([]);
    expect((await client.offsets(dead, 'latest')).get(0)).toBe(4);
    await client.close();
  });
});

it('a batch that unpacks to more than its letter may have is cut, with size and hash', async () => {
  const path = await damaged((batch) => flipped(batch, batch.length - 9), 'gzip');
  const client = await connect({ path });
  await client.topics.create('narrow', { config: { maxMessageBytes: 700 } });
  const app = run(
    numbers.pipe(
      mapValues((n) => n),
      to(out),
    ),
    { applicationId: 'app', path, until: 'end', onRecordError: deadLetter('narrow') },
  );
  await app.done;
  const letters: number[] = [];
  await client
    .records(topic('narrow', { value: bytes() }), { from: 'earliest', until: 'end' })
    .forEach(({ value, headers }) => {
      const hash = headers.find(([name]) => name === 'millrace.origin.value.sha256')?.[1];
      if (hash === undefined) letters.push(value.length);
      else expect(new TextDecoder().decode(hash ?? undefined)).toHaveLength(createHash('sha256').digest('hex').length);
    });
  expect(await client.committed('app', numbers)).toEqual(new Map([[0, 12]]));
  await client.close();
});
