import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytes, type Client, connect, deadLetter, mapAsync, memoryTransport, run, to, topic } from 'millrace';
import { embeddedTransport } from 'millrace/embedded';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTransport } from '../../src/runtime/transport.ts';
import { unique, until } from '../contract/support.ts';

const folders: string[] = [];

function inFolder(): OpenTransport {
  const path = mkdtempSync(join(tmpdir(), 'millrace-refused-'));
  folders.push(path);
  return embeddedTransport({ path });
}

describe.each([
  ['memory', () => memoryTransport()],
  ['embedded', inFolder],
])('outputs that the log refuses (%s)', (_kind, open) => {
  let transport: OpenTransport;
  let client: Client;

  beforeEach(async () => {
    transport = open();
    client = await connect({ transport });
  });
  afterEach(async () => {
    await client.close();
    for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
  });

  it('are put aside one by one when somebody has lowered the limit of the topic meanwhile', async () => {
    const applicationId = unique('lowered');
    const source = topic(`${applicationId}-source`, { value: bytes(), partitions: 1 });
    const target = topic(`${applicationId}-target`, { value: bytes(), partitions: 1 });
    const letters = topic(`${applicationId}-letters`, { value: bytes(), partitions: 1 });
    const pipeline = source.pipe(
      mapAsync(async (value) => value, { concurrency: 4 }),
      to(target),
    );
    await client.publish(source, { value: new Uint8Array(1) });
    const app = run(pipeline, {
      applicationId,
      transport,
      compression: 'none',
      onRecordError: deadLetter(letters.use.name),
    });
    const sizes: number[] = [];
    const reading = client
      .records(target, { from: 'earliest' })
      .subscribe(({ value }) => void sizes.push(value.length));
    await until('the first output', () => sizes.length === 1);
    await client.topics.configure(target, { maxMessageBytes: 500 });
    await client.publishAll(
      source,
      [10, 2000, 20, 3000, 30].map((length) => ({ value: new Uint8Array(length) })),
    );
    await until('the others', () => sizes.length === 4);
    expect(sizes).toEqual([1, 10, 20, 30]);
    await until('the commit', () => app.snapshot().lag === 0);
    await app.stop();
    reading.unsubscribe();
    const put: [number, string][] = [];
    for await (const { headers, value } of client.records(letters, { from: 'earliest', until: 'end' })) {
      const offset = headers.find(([name]) => name === 'millrace.origin.offset')?.[1];
      put.push([value.length, new TextDecoder().decode(offset ?? new Uint8Array())]);
    }
    expect(put).toEqual([
      [2000, '2'],
      [3000, '4'],
    ]);
    expect(app.snapshot()).toMatchObject({ restarts: 0 });
  });
});
