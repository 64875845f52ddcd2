import { agg, connect, json, run, string, to, topic, tumbling, windowBy } from 'millrace';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { OpenTransport, Transport } from '../../src/log/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, type Joined, join, rowsOf, send, unique, until, values, valuesOf, watch } from '../contract/support.ts';

const TASKS = 4;
const guarantees = ['at-least-once', 'exactly-once'] as const;
type Guarantee = (typeof guarantees)[number];

const open: Transport[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((transport) => transport.close()));
});

const instance = (instanceId: string, guarantee: Guarantee, sessionTimeoutMs = 20_000): OpenTransport =>
  kafkaTransport({ brokers: inject('brokers'), instanceId, guarantee, sessionTimeoutMs, heartbeatIntervalMs: 50 });

async function member(opening: OpenTransport, group: string, name: string): Promise<Joined & { transport: Transport }> {
  const transport = await opening();
  open.push(transport);
  await transport.topics.create(name, { partitions: TASKS, ifMissing: true });
  return { transport, ...(await join(transport, group, name, TASKS)) };
}

const shared = (...members: readonly Joined[]): Promise<unknown> =>
  until('the tasks to be shared out', () => members.every(({ tasks }) => tasks.size === TASKS / members.length));

describe.each(guarantees)('members with a name of their own, %s', (guarantee) => {
  it('come back to their tasks, and the others do not notice', async () => {
    const [name, group] = [unique('static'), unique('group')];
    const first = await member(instance('first', guarantee), group, name);
    const second = await member(instance('second', guarantee), group, name);
    await shared(first, second);
    const { generation } = second.session;
    // Once as the one that shares the tasks out, once as the other.
    for (const [instanceId, gone, stays] of [
      ['first', first, second],
      ['second', second, first],
    ] as const) {
      const events = [...stays.events];
      const tasks = [...gone.tasks].sort();
      await gone.transport.close();
      const back = await member(instance(instanceId, guarantee), group, name);
      await until('its tasks', () => back.tasks.size === tasks.length);
      expect([...back.tasks].sort()).toEqual(tasks);
      expect(back.session.generation).toBe(generation);
      // What the coordinator says next, it says to a group in which nothing has changed.
      await back.session.commit({ generation, offsets: [{ topic: name, partition: 0, offset: 1 }], state: [] });
      expect(stays.events).toEqual(events);
      if (gone === first) Object.assign(first, back);
    }
  });

  it('lose their tasks when they are not back in time', async () => {
    const [name, group] = [unique('static'), unique('group')];
    const first = await member(instance('first', guarantee, 1000), group, name);
    const second = await member(instance('second', guarantee, 1000), group, name);
    await shared(first, second);
    await first.transport.close();
    await until('the other one to have all tasks', () => second.tasks.size === TASKS);
  });

  it('end when another one takes their name', async () => {
    const [name, group] = [unique('static'), unique('group')];
    const first = await member(instance('same', guarantee), group, name);
    await shared(first);
    const second = await member(instance('same', guarantee), group, name);
    const [error] = await until('the first one to hear of it', () => first.errors.length > 0 && first.errors);
    expect(error).toMatchObject({ code: 'ERR_INSTANCE_FENCED', errorClass: 'fatal' });
    expect(error?.hint).toContain('instanceId');
    await shared(second);
    expect(second.errors).toEqual([]);
  });
});

describe('a member with a name of its own, exactly-once', () => {
  it('ends the transaction that one before it has left open', async () => {
    const [name, group, out] = [unique('static'), unique('group'), unique('out')];
    const first = await member(instance('same', 'exactly-once'), group, name);
    await shared(first);
    await first.transport.topics.create(out);
    await first.session.send([batch(out, 0, values('left open'))]);
    const reader = first.transport.fetcher({ onReady: () => undefined });
    reader.assign(out, 0, 0);
    await until('the reader to say what it waits for', () =>
      reader.waitingFor()?.includes(`a transaction, which holds back "${out}/0" from offset 0 on`),
    );
    const { transport, ...second } = await member(instance('same', 'exactly-once'), group, name);
    await shared(second);
    await send(transport, out, 0, values('after it'));
    const { fetcher } = watch(transport);
    fetcher.assign(out, 0, 0);
    // Sooner than the transaction would expire.
    const seen = await until(
      'what comes after it',
      () => {
        const fetched = fetcher.poll(out, 0);
        return fetched !== undefined && fetched.count > 0 && rowsOf(fetched);
      },
      5000,
    );
    expect(valuesOf(seen)).toEqual(['after it']);
  });
});

describe.each(guarantees)('an application whose instanceId another process takes, %s', (guarantee) => {
  // It learns of it from its heartbeat or from its producer, whichever is first.
  it.each([10, 1000])(
    'ends with an error that says so, while the other one goes on: heartbeats of %d ms',
    async (ms) => {
      const brokers = inject('brokers');
      const applicationId = unique('static');
      const clicks = topic(`${applicationId}-in`, { key: string(), value: json<number>(), partitions: 2 });
      const counts = topic(`${applicationId}-out`, { key: string(), value: json<number>() });
      const pipeline = clicks.pipe(
        windowBy(tumbling({ size: '1s', grace: '0ms' }), agg.count(), { store: 'counts' }),
        to(counts),
      );
      const options = { applicationId, brokers, commitInterval: '50ms' } as const;
      const kafka = { guarantee, instanceId: 'same', heartbeatIntervalMs: ms };
      const first = run(pipeline, { ...options, kafka });
      let ended: unknown;
      first.done.catch((error: unknown) => (ended = error));
      const client = await connect({ brokers });
      let published = 0;
      const feeding = { stop: false };
      await until('the first one to run', () => first.snapshot().tasks.length === 2);
      const feed = (async () => {
        while (!feeding.stop) await client.publish(clicks, { key: 'a', value: published++ });
      })();
      await until('a commit', () => first.snapshot().commits > 0);
      const second = run(pipeline, { ...options, kafka });
      second.done.catch((error: unknown) => (ended ??= error));
      await until('the first one to end', () => ended !== undefined);
      expect(ended).toMatchObject({ code: 'ERR_INSTANCE_FENCED' });
      expect(first.snapshot().state).toBe('failed');
      const { commits } = second.snapshot();
      await until('the second one to go on', () => second.snapshot().commits > commits + 2);
      expect(second.snapshot().restarts).toBe(0);
      feeding.stop = true;
      await feed;
      await second.stop();
      await client.close();
    },
  );
});
