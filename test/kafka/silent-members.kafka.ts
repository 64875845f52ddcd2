import { type Client, connect } from 'millrace';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../contract/support.ts';
import { counted, type MembersOptions } from './members-child.ts';
import { MembersProcess } from './members-process.ts';

const SESSION = { sessionTimeoutMs: 1000, heartbeatIntervalMs: 100 } as const;

let client: Client;
beforeEach(async () => {
  client = await connect({ brokers: inject('brokers') });
});
afterEach(async () => {
  await MembersProcess.endAll();
  await client.close();
});

function members(base: string) {
  const name = unique(base);
  const { input, counts } = counted(name);
  const options: MembersOptions = {
    name,
    brokers: inject('brokers'),
    commitInterval: '50ms',
    writeFrom: 0,
    kafka: SESSION,
  };
  const publish = (...values: string[]): Promise<unknown> =>
    client.publishAll(
      input,
      values.map((value) => ({ key: 'k', value })),
    );
  const committed = async (offset: number): Promise<void> => {
    const found = async (): Promise<boolean> => (await client.committed(name, input)).get(0) === offset;
    while (!(await found())) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const rows = async (): Promise<number[]> => {
    const list: number[] = [];
    for await (const { value } of client.records(counts, { from: 'earliest', until: 'end' })) list.push(value);
    return list;
  };
  return { options, input, publish, committed, rows };
}

describe('a process that was stopped for longer than its session', () => {
  it('writes no state after its tasks went to another one', { timeout: 90_000 }, async () => {
    const { options, input, publish, committed, rows } = members('stopped');
    await client.topics.create(input);
    const first = new MembersProcess({ ...options, commitInterval: '2s', writeFrom: 1000 });
    await first.hasTasks(1);
    await publish('1');
    await first.hasRead('1');
    // With what it read still to be committed.
    first.signal('SIGSTOP');
    const second = new MembersProcess({ ...options, writeFrom: 1000 });
    await second.hasTasks(1);
    await publish(...Array.from({ length: 97 }, () => 'more'));
    await committed(98);
    first.signal('SIGCONT');
    await first.wasWarned(/nothing was heard of this process/);
    await first.end('SIGKILL');
    await second.end('SIGKILL');
    const third = new MembersProcess({ ...options, writeFrom: 99 });
    await third.hasTasks(1);
    await publish('last');
    await committed(99);
    expect(await rows()).toEqual([99]);
  });
});
