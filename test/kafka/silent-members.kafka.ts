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
    who: 'any',
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
    await first.wasWarned(/the coordinator did not hear from this process/);
    await first.end('SIGKILL');
    await second.end('SIGKILL');
    const third = new MembersProcess({ ...options, writeFrom: 99 });
    await third.hasTasks(1);
    await publish('last');
    await committed(99);
    expect(await rows()).toEqual([99]);
  });
});

describe('a process that is blocked by a function of its pipeline', () => {
  it('keeps its tasks for longer than a session', { timeout: 60_000 }, async () => {
    const { options, input, publish, committed } = members('blocked');
    await client.topics.create(input);
    const first = new MembersProcess(options);
    await Promise.all([first.hasTasks(1), first.isReady()]);
    const second = new MembersProcess(options);
    await second.hasTasks(0);
    await publish('block 3500', 'next');
    await committed(2);
    expect(first.read).toEqual(['block 3500', 'unblocked', 'next']);
    expect(first.warnings).toEqual([]);
    expect(second.read).toEqual([]);
  });

  it('leaves the group after maxPollIntervalMs and says why, and another one goes on', {
    timeout: 60_000,
  }, async () => {
    const { options, input, publish, committed } = members('blocked');
    await client.topics.create(input);
    const kafka = { ...SESSION, maxPollIntervalMs: 1500 };
    const first = new MembersProcess({ ...options, kafka, who: 'first' });
    await Promise.all([first.hasTasks(1), first.isReady()]);
    const second = new MembersProcess({ ...options, kafka, who: 'second' });
    await second.hasTasks(0);
    await publish('block 6000 first', 'next');
    await committed(2);
    expect(second.read).toEqual(['block 6000 first', 'next']);
    expect(first.read).toEqual(['block 6000 first']);
    await first.wasWarned(/ERR_MAX_POLL_INTERVAL/);
    await publish('last');
    await committed(3);
  });

  it('ends when the same record does it again', { timeout: 60_000 }, async () => {
    const { options, input, publish } = members('stuck');
    await client.topics.create(input);
    const only = new MembersProcess({ ...options, kafka: { ...SESSION, maxPollIntervalMs: 1500 } });
    await Promise.all([only.hasTasks(1), only.isReady()]);
    await publish('block 3000', 'next');
    await only.ended;
    expect(only.exitCode).toBe(1);
    expect(only.read).toEqual(['block 3000', 'unblocked', 'next', 'block 3000', 'unblocked', 'next']);
    expect(only.warnings.at(-1)).toMatch(/^ERR_MAX_POLL_INTERVAL failed .* blocked the process .*\/0@/);
    expect(only.warnings.join()).not.toContain('another');
  });
});
