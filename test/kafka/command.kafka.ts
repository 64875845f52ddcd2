import { agg, aggregate, bytes, connect, json, nullable, type Published, run, string, to, topic } from 'millrace';
import { expect, inject, it } from 'vitest';
import { Cli, lines, printed } from '../cli/processes.ts';
import { unique } from '../contract/support.ts';

const cli = new Cli();
cli.folder = process.cwd();
const brokers = inject('brokers');
const at = `--brokers ${brokers.join(',')}`;
const numbers = (count: number): string => Array.from({ length: count }, (_, i) => `${i}\n`).join('');

it('reads for a group that several share, and commits what it has printed', { timeout: 60_000 }, async () => {
  const [name, group] = [unique('cli'), unique('g')];
  expect(await cli.run(`topics create ${name} -p 2 ${at}`)).toMatchObject({ code: 0 });
  expect(await cli.run(`produce ${name} -p 0 ${at}`, numbers(10))).toMatchObject({
    err: `10 records written to ${name}\n`,
  });
  expect((await cli.run(`consume ${name} -g ${group} -n 3 -f %v, ${at}`)).out).toBe('0,\n1,\n2,\n');
  expect((await cli.run(`consume ${name} -g ${group} -n 1 -f %v ${at}`)).out).toBe('3\n');
  const members = [0, 1].map(() => cli.start(`consume ${name} -g ${group} -f %v; ${at}`.split(' ')));
  await Promise.race(members.map((member) => printed(member, '9;')));
  expect(await cli.run(`groups reset ${group} ${name} --to start --execute ${at}`)).toMatchObject({
    code: 2,
    err: expect.stringContaining('ERR_GROUP_ACTIVE') as string,
  });
  for (const { child } of members) child.kill('SIGINT');
  const ended = await Promise.all(members.map((member) => member.ended));
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const all = ended.map(({ out }) => out).join('');
  // Who joins later may have been given the partition before the other had committed.
  expect([...new Set(all.split('\n'))].filter((line) => line !== '').sort()).toEqual([
    '4;',
    '5;',
    '6;',
    '7;',
    '8;',
    '9;',
  ]);
  expect(lines((await cli.run(`lag ${group} ${at}`)).out)).toEqual([
    { topic: name, partition: 0, committed: 10, end: 10, lag: 0 },
    { topic: name, partition: 1, committed: 0, end: 0, lag: 0 },
  ]);
});

it('shows and moves groups', { timeout: 60_000 }, async () => {
  const [name, group] = [unique('cli'), unique('g')];
  await cli.run(`topics create ${name} ${at}`);
  await cli.run(`produce ${name} ${at}`, numbers(5));
  await cli.run(`consume ${name} -g ${group} -e ${at}`);
  expect(lines((await cli.run(`groups ls ${at}`)).out)).toContainEqual({ group, active: false, topics: 1, lag: 0 });
  expect(await cli.run(`lag ${group}x ${at}`)).toMatchObject({
    code: 1,
    err: expect.stringMatching(new RegExp(`ERR_UNKNOWN_GROUP.*did you mean ${group}`)) as string,
  });
  expect(await cli.run(`groups reset ${group} ${name} --to 6 --execute ${at}`)).toMatchObject({ code: 2 });
  expect(await cli.run(`groups reset ${group} ${name} --to -2 --execute ${at}`)).toMatchObject({ code: 0 });
  expect((await cli.run(`consume ${name} -g ${group} -e -f %v, ${at}`)).out).toBe('3,\n4,\n');
  const stateful = unique('app');
  const client = await connect({ brokers });
  await client.setCommitted(group, name, [1]);
  expect(await client.groups.describe(group)).toMatchObject({ offsets: [{ topic: name, partition: 0, offset: 1 }] });
  expect(await client.groups.describe(stateful)).toBeUndefined();
  await client.close();
});

it('starts an application over, with its changelogs', { timeout: 90_000 }, async () => {
  const [from, into, app] = [unique('in'), unique('out'), unique('app')];
  const numbers = topic(from, { key: string(), value: json<number>(), partitions: 1 });
  const sums = topic(into, { key: string(), value: json<number>(), partitions: 1 });
  const pipeline = numbers.pipe(
    aggregate(
      agg.sum((value: number) => value),
      { store: 'sums' },
    ),
    to(sums),
  );
  const start = () => run(pipeline, { applicationId: app, brokers, until: 'end' }).done;
  const client = await connect({ brokers });
  await client.topics.create(numbers);
  await client.publishAll(
    numbers,
    [1, 2].map((value) => ({ key: 'a', value })),
  );
  await start();
  const dry = lines((await cli.run(`reset ${app} ${at}`)).out);
  expect(dry).toContainEqual({ what: 'offset', name: from, partition: 0, from: 2, to: 'none' });
  const changelog = { what: 'topic', name: `${app}-sums-changelog`, partition: null, from: null, to: 'deleted' };
  expect(dry).toContainEqual(changelog);
  const done = await cli.run(`reset ${app} --execute ${at}`);
  expect(done).toMatchObject({ code: 0, err: expect.stringContaining('was reset') as string });
  expect(await client.groups.describe(app)).toBeUndefined();
  await start();
  const values: number[] = [];
  for await (const { value } of client.records(sums, { from: 'earliest', until: 'end' })) values.push(value);
  // What is at the end was counted from nothing.
  expect([values.at(0), values.at(-1), Math.max(...values)]).toEqual([expect.any(Number), 3, 3]);
  expect(values.length).toBeGreaterThanOrEqual(2);
  await client.close();
});

it('copies a topic byte for byte', { timeout: 60_000 }, async () => {
  const [from, to] = [unique('from'), unique('to')];
  const declare = (name: string) => topic(name, { key: nullable(bytes()), value: nullable(bytes()), partitions: 2 });
  const client = await connect({ brokers });
  const raw = (...list: number[]): Uint8Array => Uint8Array.from(list);
  const records = [
    {
      key: raw(0xff),
      value: raw(0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
      timestamp: 5,
      partition: 1,
      headers: [['h', null]] as const,
    },
    { key: null, value: raw(0x80, 0, 0, 0, 0, 0, 0, 0), timestamp: 6, partition: 0 },
    { key: raw(), value: null, timestamp: 7, partition: 0 },
  ];
  const published: readonly Published[] = await client.publishAll(declare(from), records);
  expect(published).toHaveLength(3);
  await client.topics.create(declare(to));
  for (const compression of ['none', 'zstd']) {
    const [, written] = await cli.pipe(
      `consume ${from} -J -e --value float64 ${at}`,
      `produce ${to} -J --value float64 -z ${compression} ${at}`,
    );
    expect(written).toMatchObject({ code: 0, err: `3 records written to ${to}\n` });
  }
  const read = async (name: string, place: string): Promise<unknown[]> =>
    lines((await cli.run(`consume ${name} -J -o ${place} -e ${at}`)).out)
      .map((line) => ({ ...(line as object), topic: '', offset: 0 }))
      .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
  expect((await read(to, '-10')).length).toBe(6);
  const copy = new Set((await read(to, 'start')).map((line) => JSON.stringify(line)));
  expect([...copy]).toEqual((await read(from, 'start')).map((line) => JSON.stringify(line)));
  await client.close();
});
