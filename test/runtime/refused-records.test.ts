import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agg,
  bytes,
  type Client,
  connect,
  deadLetter,
  json,
  mapAsync,
  memoryTransport,
  run,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { embeddedTransport } from 'millrace/embedded';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenTransport } from '../../src/log/transport.ts';
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

  it('are put aside as rows where a closed window emitted them, when the work has been done again', async () => {
    const applicationId = unique('rows');
    const source = topic(`${applicationId}-source`, { key: string(), value: json<string>(), partitions: 1 });
    const target = topic(`${applicationId}-target`, { key: string(), value: json<string>(), partitions: 1 });
    const letters = topic(`${applicationId}-letters`, { key: string(), value: json<string>(), partitions: 1 });
    const joined = agg.custom({ init: () => '', add: (all: string, more: string) => all + more });
    const pipeline = source.pipe(
      windowBy(tumbling({ size: '10ms', grace: '0s' }), joined, { store: 'joined' }),
      to(target),
    );
    const value = 'x'.repeat(400);
    const record = (timestamp: number, key: string) => ({ key, value, timestamp });
    await client.publish(source, record(1, 'first'));
    const app = run(pipeline, {
      applicationId,
      transport,
      compression: 'none',
      onRecordError: deadLetter(letters.use.name),
    });
    const keys: string[] = [];
    const reading = client.records(target, { from: 'earliest' }).subscribe(({ key }) => void keys.push(key));
    await client.publish(source, record(10, 'second'));
    await until('the first row', () => keys.length === 1);
    await client.topics.configure(target, { maxMessageBytes: 600 });
    await client.publishAll(source, [
      record(11, 'third'),
      record(12, 'third'),
      record(13, 'fourth'),
      record(20, 'last'),
    ]);
    await until('the other rows', () => keys.length === 3);
    expect(keys).toEqual(['first', 'fourth', 'second']);
    await until('the commit', () => app.snapshot().lag === 0);
    expect(app.snapshot()).toMatchObject({ restarts: 1 });
    await app.stop();
    reading.unsubscribe();
    const put: unknown[] = [];
    for await (const letter of client.records(letters, { from: 'earliest', until: 'end' })) {
      const header = (name: string): string | undefined => {
        const bytes = letter.headers.find(([each]) => each === `millrace.${name}`)?.[1];
        return bytes === undefined || bytes === null ? undefined : new TextDecoder().decode(bytes);
      };
      const window = [header('row.window.start'), header('row.window.end')];
      put.push([letter.key, letter.value.length, header('row.step'), window, header('origin.offset')]);
    }
    expect(put).toEqual([['third', 800, 'windowBy(joined)', ['10', '20'], undefined]]);
  });
});
