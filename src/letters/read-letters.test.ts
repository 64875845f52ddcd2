import { expect, it } from 'vitest';
import { connect } from '../connect.ts';
import { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import { MemoryLog, memoryTransport } from '../transports/memory/index.ts';
import { allLetters } from './read-letters.ts';

it('passes over records of others that cannot be read', async () => {
  const log = new MemoryLog();
  log.create('theirs');
  const batch = new RecordBatchBuilder();
  batch.append(
    1,
    'k',
    'v',
    Array.from({ length: 10_001 }, () => ['', null] as const),
  );
  batch.append(2, 'k', 'v', []);
  log.append([log.prepare({ topic: 'theirs', partition: 0 }, batch)]);
  const client = await connect({ transport: memoryTransport(log) });
  const found: unknown[] = [];
  for await (const letter of allLetters(client, 'theirs')) found.push(letter);
  expect(found).toEqual([]);
  await client.close();
});
