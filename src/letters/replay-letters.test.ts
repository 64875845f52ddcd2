import { expect, it } from 'vitest';
import type { Client } from '../client/client.ts';
import { connect } from '../connect.ts';
import { RecordError } from '../errors.ts';
import { deadLetterOf } from '../log/dead-letter.ts';
import type { Headers } from '../record.ts';
import { MemoryLog } from '../transports/memory/memory-log.ts';
import { memoryTransport } from '../transports/memory/memory-transport.ts';
import { allLetters, bytesOf, type FoundLetter } from './read-letters.ts';
import { LetterReplay, type ReplayOptions, type Sending, type Sent } from './replay-letters.ts';
import { forgetReplayed, replayedTopic } from './replayed-letters.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function withLetters(work: (client: Client) => Promise<void>): Promise<void> {
  const client = await connect({ transport: memoryTransport(new MemoryLog()) });
  await client.topics.create('orders', { partitions: 2 });
  await client.topics.create('bad');
  await work(client);
  await client.close();
}

/** Puts a record of `orders` aside, with the time of the failure. */
async function putAside(client: Client, value: Uint8Array, now: number, applied?: string): Promise<void> {
  const origin = { topic: 'orders', partition: 1, offset: now, timestamp: 7, key: bytes('a'), value, headers: [] };
  const limits = { topic: 'bad', maxMessageBytes: 1_000_000, compacted: false };
  const letter = deadLetterOf(new RecordError('ERR_USER_CODE', 'no'), { step: 'map' }, origin, now, limits);
  const headers: Headers = [...letter.headers, ...(applied ? [['millrace.applied', bytes(applied)] as const] : [])];
  await client.publish(bytesOf('bad'), { ...letter, headers });
}

async function letters(client: Client): Promise<FoundLetter[]> {
  const found: FoundLetter[] = [];
  for await (const each of allLetters(client, 'bad')) found.push(each);
  return found;
}

/** Replays what can be. @returns What is said of each letter that is left out, and what came of the others. */
async function replay(client: Client, options: ReplayOptions = {}, only = (_: FoundLetter): boolean => true) {
  const run = await LetterReplay.of(client, 'bad', options);
  const left: string[] = [];
  const sent: Sent[] = [];
  for (const found of (await letters(client)).filter(only)) {
    const fate = await run.fateOf(found);
    if ('leftOut' in fate) left.push(fate.leftOut);
    else sent.push(...(await run.send([{ found, fate }])));
  }
  await run.end();
  return { left, sent: sent.length };
}

const offsetIn =
  (...offsets: readonly number[]) =>
  ({ record }: FoundLetter): boolean =>
    offsets.includes(record.offset);

it('replays each letter once, whoever asks, and those that were left out later', () =>
  withLetters(async (client) => {
    for (let n = 0; n < 4; n += 1) await putAside(client, bytes(String(n)), n);
    expect(await replay(client, {}, offsetIn(3, 1))).toEqual({ left: [], sent: 2 });
    expect(await replay(client)).toEqual({ left: ['replayed before', 'replayed before'], sent: 2 });
    expect(await replay(client)).toMatchObject({ sent: 0 });
    expect(await replay(client, { again: true })).toEqual({ left: [], sent: 4 });
    expect([...(await client.offsets('orders', 'latest')).values()]).toEqual([0, 8]);
  }));

it('knows to which topic a record was written: to another one it goes too', () =>
  withLetters(async (client) => {
    await client.topics.create('repair');
    await putAside(client, bytes('1'), 1);
    await putAside(client, bytes('2'), 2, 'sum');
    expect(await replay(client)).toEqual({ left: ['whose record sum has counted already'], sent: 1 });
    expect(await replay(client, { to: 'repair' })).toEqual({ left: [], sent: 2 });
    expect(await replay(client, { to: 'repair' })).toMatchObject({ sent: 0 });
    const { replayed } = await LetterReplay.of(client, 'bad');
    expect((await letters(client)).map(({ record }) => replayed.to(record))).toEqual([
      ['orders', 'repair'],
      ['repair'],
    ]);
  }));

it('writes what its topic takes, also where it refuses another one', () =>
  withLetters(async (client) => {
    await putAside(client, bytes('x'.repeat(5000)), 1);
    await putAside(client, bytes('2'), 2);
    await client.topics.configure('orders', { maxMessageBytes: 1000 });
    const run = await LetterReplay.of(client, 'bad');
    const sendings = [];
    for (const found of await letters(client)) {
      const fate = await run.fateOf(found);
      if ('to' in fate) sendings.push({ found, fate });
    }
    expect(await run.send(sendings)).toMatchObject([
      { refused: { code: 'ERR_RECORD_TOO_LARGE' } },
      { partition: 1, offset: 0 },
    ]);
    await run.end();
    await client.topics.configure('orders', { maxMessageBytes: 100_000 });
    expect(await replay(client)).toEqual({ left: ['replayed before'], sent: 1 });
  }));

it('takes letters of another topic with the name for other ones', () =>
  withLetters(async (client) => {
    await putAside(client, bytes('1'), 1);
    expect(await replay(client)).toMatchObject({ sent: 1 });
    await client.topics.delete('bad');
    await client.topics.create('bad');
    await putAside(client, bytes('1'), 2);
    expect(await replay(client)).toEqual({ left: [], sent: 1 });
    await forgetReplayed(client, 'bad');
    expect(await replay(client)).toEqual({ left: [], sent: 1 });
  }));

it('passes over what is no note, and replays nothing that could not be noted', () =>
  withLetters(async (client) => {
    await putAside(client, bytes('1'), 1);
    const notes = replayedTopic('bad');
    await client.topics.create(notes, { config: { maxMessageBytes: 1_000_000 } });
    for (const text of ['', 'null', '{"to":1}', '{"to":"orders","letters":[[0],["0",0,1],7]}']) {
      await client.publish(bytesOf(notes), { key: null, value: bytes(text) });
    }
    expect(await replay(client)).toEqual({ left: [], sent: 1 });
    expect(await replay(client)).toMatchObject({ sent: 0 });
  }));

it('has a name for the topic of the notes, however long that of the letters is', () => {
  expect(replayedTopic('bad')).toBe('bad.replayed');
  const [long, other] = ['a', 'b'].map((end) => replayedTopic('x'.repeat(248) + end));
  expect(long).toHaveLength(249);
  expect(long).not.toBe(other);
});

async function sendAll(client: Client) {
  const run = await LetterReplay.of(client, 'bad');
  const sendings: Sending[] = [];
  for (const found of await letters(client)) {
    const fate = await run.fateOf(found);
    if ('to' in fate) sendings.push({ found, fate });
  }
  return { run, send: () => run.send(sendings) };
}

const written = async (client: Client): Promise<number> =>
  [...(await client.offsets('orders', 'latest')).values()].reduce((sum, offset) => sum + offset, 0);

it('lets one replay at a time, and whoever comes second knows what the first one did', () =>
  withLetters(async (client) => {
    for (let n = 0; n < 3; n += 1) await putAside(client, bytes(String(n)), n);
    // All have decided before anything is written.
    const replays = [await sendAll(client), await sendAll(client), await sendAll(client)];
    const done = await Promise.allSettled(replays.map(({ send }) => send()));
    const refused = done.filter((each) => each.status === 'rejected');
    expect(refused).toHaveLength(2);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'ERR_REPLAY_ACTIVE' });
    expect(await written(client)).toBe(3);
    for (const { run } of replays) await run.end();
    const late = replays.find((_, at) => done[at]?.status === 'rejected');
    expect(await late?.send()).toMatchObject([1, 2, 3].map(() => ({ code: 'ERR_REPLAYED' })));
    expect(await written(client)).toBe(3);
  }));
