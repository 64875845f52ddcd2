import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { agg, aggregate, bytes, connect, json, nullable, type Published, run, string, to, topic } from 'millrace';
import { expect, inject, it } from 'vitest';
import { saslUser } from '../../scripts/kafka/cluster.ts';
import { Cli, lines, printed, told } from '../cli/processes.ts';
import { unique } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';
import { consoleConsume, consoleProduce } from './java-console.ts';

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

it("writes what Kafka's console consumer reads, with the flags of kcat, and reads what its producer writes", {
  timeout: 90_000,
}, async () => {
  const [ours, theirs] = [unique('ours'), unique('theirs')];
  await cli.run(`topics create ${ours} ${at}`);
  await cli.run(`topics create ${theirs} ${at}`);
  expect(
    await cli.run(`produce ${ours} -K | -H trace=1 -H from=kcat -z gzip ${at}`, 'ada|tea\nbob|milk\n'),
  ).toMatchObject({
    code: 0,
  });
  expect(await cli.run(`produce ${ours} -k cy -Z ${at}`)).toMatchObject({ code: 0 });
  const headers = [['trace', '1'], ['from', 'kcat']]; // biome-ignore format: as a table
  expect(await consoleConsume(ours, 3)).toMatchObject([
    { key: 'ada', value: 'tea', headers },
    { key: 'bob', value: 'milk', headers },
    { key: 'cy', value: null, headers: [] },
  ]);
  await consoleProduce(
    theirs,
    [
      { key: 'ada', value: 'tea', headers: [['trace', '7']] },
      { key: null, value: 'milk', headers: [] },
      { key: 'cy', value: null, headers: [] },
    ],
    'zstd',
  );
  const read = (format: string, place: string) =>
    cli.run(['consume', theirs, '-o', place, '-e', '-f', format, ...at.split(' ')]);
  expect((await read('%t %o %k|%s %h %K %S\\n', 'beginning')).out).toBe(
    `${theirs} 0 ada|tea trace=7 3 3\n${theirs} 1 null|milk  -1 4\n${theirs} 2 cy|null  2 -1\n`,
  );
  expect((await read('%k\\n', '-1')).out).toBe('cy\n');
  expect((await read('%k ', '1:')).out).toBe('null \ncy \n');
  expect((await cli.run(`consume ${theirs} -o s@0 -c 1 -K : ${at}`)).out).toBe('ada:tea\n');
});

it('reads the state of an application from its changelogs, and from the folder that it keeps it in', {
  timeout: 90_000,
}, async () => {
  const [from, into, app] = [unique('in'), unique('out'), unique('app')];
  const folder = await mkdtemp(join(tmpdir(), 'millrace-state-'));
  const file = join(folder, 'pipeline.ts');
  await writeFile(
    file,
    `import { agg, aggregate, json, string, to, topic } from 'millrace';
     const numbers = topic('${from}', { key: string(), value: json<number>(), partitions: 2 });
     const sums = topic('${into}', { key: string(), value: json<number>() });
     export const options = { applicationId: '${app}' };
     export default numbers.pipe(aggregate(agg.sum((value: number) => value), { store: 'sums' }), to(sums));`,
  );
  const own = new Cli();
  own.folder = folder;
  own.project();
  await own.run(`topics create ${from} -p 2 ${at}`);
  await own.run(`produce ${from} -K : ${at}`, 'ada:1\nbob:2\nada:3\ncy:5\n');
  expect((await own.run(`run pipeline.ts -e -q ${at} --state-dir state`)).err).toBe('');
  const rows = async (args: string): Promise<unknown[]> => {
    const { code, err, out } = await own.run(args);
    expect(code, err).toBe(0);
    return lines(out).map((row) => [(row as { key: string }).key, (row as { value: unknown }).value]);
  };
  for (const where of [at, '--state-dir state']) {
    expect(await rows(`state get ${app} sums ada --with pipeline.ts ${where}`)).toEqual([['ada', 4]]);
    const scanned = await rows(`state scan ${app} sums --with pipeline.ts ${where}`);
    expect(scanned.map(String).sort()).toEqual(['ada,4', 'bob,2', 'cy,5']);
    const listed = lines((await own.run(`state ls ${app} ${where}`)).out);
    expect(listed, where).toMatchObject([
      { store: 'sums', entries: 3, writtenBy: expect.stringContaining('sum') as string },
    ]);
    expect(lines((await own.run(`state export ${app} ${where}`)).out)).toHaveLength(3);
    expect(await own.run(`state verify ${app} --with pipeline.ts ${where}`)).toMatchObject({ code: 0, out: '' });
    expect(await own.run(`state get ${app} sum ada ${where}`)).toMatchObject({
      code: 2,
      err: expect.stringContaining('did you mean sums?') as string,
    });
  }
  expect(await own.run(`state ls ${app}x ${at}`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('has neither offsets nor state') as string,
  });
  // Beside the application, which goes on, and with what it has done meanwhile.
  const running = own.start(`run pipeline.ts ${at} --state-dir state`.split(' '));
  await told(running, 'ready after');
  await own.run(`produce ${from} -K : ${at}`, 'ada:10\n');
  await own.run(`consume ${into} --grep 14 -n 1 ${at}`);
  // At least once, results can be read before the commit that they belong to.
  for (const where of [at, '--state-dir state']) {
    await expect
      .poll(() => rows(`state get ${app} sums ada --with pipeline.ts ${where}`), { timeout: 30_000 })
      .toEqual([['ada', 14]]);
  }
  expect((await own.run(`state ls ${app} ${at}`)).err).toContain('is running');
  running.child.kill('SIGINT');
  expect((await running.ended).code).toBe(0);
  await rm(folder, { recursive: true, force: true });
});

it.runIf(ownCluster)(
  'looks at a cluster: brokers, copies, permissions, certificates, clocks',
  { timeout: 90_000 },
  async () => {
    const own = await cluster();
    const found = async (args: string, env: NodeJS.ProcessEnv = {}): Promise<Readonly<Record<string, string>>> => {
      const { out } = await cli.start(`doctor ${args}`.split(' '), env).ended;
      return Object.fromEntries(
        (lines(out) as { check: string; state: string; found: string }[]).map((row) => [
          row.check,
          `${row.state}: ${row.found}`,
        ]),
      );
    };
    const plain = await found(`${at} --try`);
    expect(plain['brokers']).toMatch(/^ok: 1 broker: /);
    expect(plain['permissions']).toMatch(/^ok: may read and write \d+ topics?, and create others/);
    expect(plain['replication']).toMatch(/^ok: all copies of \d+ partitions? of \d+ topics? are up to date/);
    expect(plain['round trip']).toMatch(/^ok: written and read again after \d+ ms/);
    expect(plain['clock']).toMatch(/^ok: the clock of the broker is \d+ ms/);
    // What it has made is gone.
    expect((await cli.run(`topics ls ${at}`)).out).not.toContain('millrace-doctor-');
    const authority = join(await mkdtemp(join(tmpdir(), 'millrace-ca-')), 'ca.pem');
    await writeFile(authority, await own.authority());
    const secured = await found(`-b ${own.tlsBrokers.join(',')} --tls-ca ${authority}`);
    expect(secured['certificate']).toMatch(/^(ok|problem): .*: valid for \d+ days, to /);
    expect(secured['log']).toMatch(/^ok: /);
    const untrusted = await found(`-b ${own.tlsBrokers.join(',')} --tls`);
    expect(untrusted['log']).toMatch(/^problem: ERR_TLS_CERTIFICATE/);
    // What has a rule is allowed to nobody else, and for nothing else.
    const hidden = unique('readable');
    await cli.run(`topics create ${hidden} ${at}`);
    const admin = new Kafka({ brokers: [...own.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const principal = `User:${saslUser.user}`;
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: hidden,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal,
          host: '*',
          operation: AclOperationTypes.READ,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
    await admin.disconnect();
    const user = {
      MILLRACE_SASL_MECHANISM: 'plain',
      MILLRACE_SASL_USERNAME: saslUser.user,
      MILLRACE_SASL_PASSWORD: saslUser.password,
    };
    let permissions = '';
    // Brokers hear of it a moment later.
    for (let tries = 0; !permissions.includes(hidden) && tries < 50; tries += 1)
      permissions = (await found(`-b ${own.saslBrokers.join(',')}`, user))['permissions'] ?? '';
    expect(permissions).toContain(`may not write ${hidden}`);
  },
);

it('lists, replays and drops dead letters that were written in transactions', { timeout: 90_000 }, async () => {
  const [from, into, bad, app] = [unique('in'), unique('out'), unique('bad'), unique('app')];
  const folder = await mkdtemp(join(tmpdir(), 'millrace-letters-'));
  await writeFile(
    join(folder, 'pipeline.ts'),
    `import { deadLetter, json, mapValues, string, to, topic } from 'millrace';
     const numbers = topic('${from}', { key: string(), value: json<number>() });
     export const options = { applicationId: '${app}', onRecordError: deadLetter('${bad}'), kafka: { guarantee: 'exactly-once' } };
     const refuse = (value: number) => { throw new Error('no ' + value); };
     export default numbers.pipe(mapValues(refuse), to(topic('${into}', { key: string(), value: json<number>() })));`,
  );
  const own = new Cli();
  own.folder = folder;
  own.project();
  await own.run(`topics create ${from} ${at}`);
  await own.run(`produce ${from} -K : ${at}`, 'ada:1\nbob:2\n');
  const ran = await own.run(`run pipeline.ts -e ${at}`);
  expect(ran.err).toMatch(/^guarantee +exactly once$/m);
  // The end of the transaction is the last offset of the topic, and no letter.
  expect(lines((await own.run(`dlq ls ${at}`)).out)).toContainEqual(
    expect.objectContaining({ topic: bad, last: 'ERR_USER_CODE' }),
  );
  expect(lines((await own.run(`dlq ls ${bad} ${at}`)).out)).toHaveLength(2);
  expect(await own.run(`dlq replay ${bad} --execute ${at}`)).toMatchObject({ err: '2 records were replayed\n' });
  expect(await own.run(`dlq replay ${bad} --execute ${at}`)).toMatchObject({
    err: expect.stringContaining('nothing to replay') as string,
  });
  expect((await own.run(`dlq drop ${from} --yes ${at}`)).code).toBe(2);
  expect((await own.run(`dlq drop ${bad} --yes ${at}`)).code).toBe(0);
  expect((await own.run(`dlq ls ${bad} ${at}`)).err).toContain('no dead letters');
  await rm(folder, { recursive: true });
});

it('finds records of the future', { timeout: 60_000 }, async () => {
  const name = unique('ahead');
  await cli.run(`topics create ${name} ${at}`);
  await cli.run(`produce ${name} -J ${at}`, `${JSON.stringify({ value: 'x', timestamp: Date.now() + 1_800_000 })}\n`);
  const { code, out } = await cli.run(`doctor ${at}`);
  expect(code).toBe(3);
  const row = (lines(out) as { check: string; state: string; found: string }[]).find(
    ({ check }) => check === 'timestamps',
  );
  expect(row).toMatchObject({ state: 'problem', found: expect.stringContaining(name) as string });
  await cli.run(`topics delete ${name} --yes ${at}`);
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
