import { expect, it } from 'vitest';
import type { OutgoingBatch } from '../../log/transport.ts';
import { batchOf } from './broker-model.fixtures.ts';
import { KafkaSession, type SessionWriter } from './session.ts';

const unit = { generation: 1, offsets: [{ topic: 'in', partition: 0, offset: 5 }], state: [] };
const outgoing = [{} as OutgoingBatch];

/** A session whose batches are prepared as told, with what reaches its writer. */
function sessionOf(encode: () => unknown) {
  const told: string[] = [];
  const writer = {
    send: async () => void told.push('send'),
    commit: async () => void told.push('commit'),
  } as unknown as SessionWriter;
  const member = { generation: 1, track: () => undefined };
  const session = new KafkaSession(member as never, writer, { encode } as never, {} as never, () => undefined);
  return { session, told };
}

it('commits nothing behind outputs that could not be handed over, whenever that shows', async () => {
  const late = sessionOf(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('there is no such topic');
  });
  const atOnce = sessionOf(() => {
    throw new Error('the record is too large');
  });
  for (const { session, told } of [late, atOnce]) {
    const sent = session.send(outgoing);
    const committed = session.commit(unit);
    await expect(sent).rejects.toThrow(/no such topic|too large/);
    await expect(committed).rejects.toThrow(/no such topic|too large/);
    expect(told).toEqual([]);
  }
});

it('hands over nothing behind outputs that could not be handed over: it would be read before them', async () => {
  let refuse: (error: Error) => void = () => undefined;
  const first = new Promise((_, reject) => (refuse = reject));
  const outcomes = [first, batchOf(0, [false], false)];
  const { session, told } = sessionOf(() => outcomes.shift());
  const sent = [session.send(outgoing), session.send(outgoing)].map((each) => each.catch((error: unknown) => error));
  refuse(new Error('there is no such topic'));
  const refused = { message: 'there is no such topic' };
  expect(await Promise.all(sent)).toMatchObject([refused, refused]);
  expect(told).toEqual([]);
});

it('commits again once the failure is known', async () => {
  const outcomes = [Promise.reject(new Error('not now')), batchOf(0, [false], false)];
  const { session, told } = sessionOf(() => outcomes.shift());
  await expect(session.send(outgoing)).rejects.toThrow('not now');
  await session.send(outgoing);
  await session.commit(unit);
  expect(told).toEqual(['send', 'commit']);
});
