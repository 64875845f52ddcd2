import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { agg, aggregate, json, type PartitionOffsets, run, string, to, topic } from 'millrace';
import { beforeEach, describe, expect, it } from 'vitest';
import { command, lines, printed, useCli } from './processes.ts';

const cli = useCli();
const numbers = (count: number): string => Array.from({ length: count }, (_, i) => `${i}\n`).join('');
const committed = (group: string): Promise<PartitionOffsets> =>
  cli.withClient((client) => client.committed(group, 't'));

describe('what a group has printed is committed', () => {
  beforeEach(async () => {
    await cli.inProcess('topics create t');
    await cli.inProcess('produce t', numbers(10));
  });

  it('after -n, to the last record, and no further', async () => {
    const read = async (n: number): Promise<string> => (await cli.inProcess(`consume t -g g -n ${n} -f %v,`)).out;
    expect(await read(1)).toBe('0,\n');
    expect(await read(3)).toBe('1,\n2,\n3,\n');
    expect(await committed('g')).toEqual(new Map([[0, 4]]));
    expect(await read(6)).toBe('4,\n5,\n6,\n7,\n8,\n9,\n');
    expect(await committed('g')).toEqual(new Map([[0, 10]]));
  });

  it('after the end', async () => {
    expect(await cli.inProcess('consume t -g g -e -f %v')).toEqual({ code: 0, out: numbers(10), err: '' });
    expect(await cli.inProcess('consume t -g g -e -f %v')).toEqual({ code: 0, out: '', err: '' });
  });

  it('with what was not wanted before it', async () => {
    expect((await cli.inProcess('consume t -g g -n 1 --grep 5 -f %v')).out).toBe('5\n');
    expect(await committed('g')).toEqual(new Map([[0, 6]]));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('after %s', async (signal) => {
    const consumer = cli.start(['consume', 't', '-g', 'g', '-f', '%v']);
    await printed(consumer, '9');
    consumer.child.kill(signal);
    expect(await consumer.ended).toEqual({ code: 0, out: numbers(10), err: '' });
    expect(await committed('g')).toEqual(new Map([[0, 10]]));
  });

  it('up to the record that cannot be printed', async () => {
    await cli.inProcess(['produce', 't', '--value', 'json'], '{"a":1}\n');
    await cli.inProcess('produce t', 'x\n');
    const refused = await cli.inProcess('consume t -g g -e -f %v --value json');
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/t\/0@11.*--json/) as string });
    expect(await committed('g')).toEqual(new Map([[0, 11]]));
  });

  it.runIf(existsSync('/dev/full'))('and what a full disk did not take is not', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [command, 'consume', 't', '-g', 'g', '-e'], {
      cwd: cli.folder,
      stdio: ['ignore', full, 'pipe'],
    });
    let err = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => void (err += text));
    expect(await once(child, 'close')).toEqual([1, null]);
    closeSync(full);
    expect(err).toContain('the output cannot be written: ENOSPC');
    expect(await committed('g')).toEqual(new Map([[0, 0]]));
  });

  it('and what a reader that goes away could not take is not', async () => {
    await cli.inProcess('topics create wide');
    await cli.inProcess('produce wide --repeat 20000', 'x'.repeat(100));
    const { child, ended, said } = cli.start(['consume', 'wide', '-g', 'g', '-f', '%o:%v\\n']);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
    const seen = said.out.split('\n').length - 1;
    const at = (await cli.withClient((client) => client.committed('g', 'wide'))).get(0)!;
    // What lay in the pipe counts as printed, and no more fits into one than that.
    expect(at).toBeGreaterThanOrEqual(seen);
    expect(at).toBeLessThan(20_000);
    expect((await cli.inProcess('consume wide -g g -n 1 -f %o')).out).toBe(`${at}\n`);
  });
});

describe('a group', () => {
  beforeEach(async () => {
    await cli.inProcess('topics create t -p 2');
    await cli.inProcess('produce t -p 0', numbers(5));
    await cli.inProcess('consume t -g billing -n 2');
  });

  it('that there is not is an error, with the one that was meant', async () => {
    for (const args of [
      'lag biling',
      'lag biling t --max 9',
      'groups describe biling',
      'groups reset biling t --to 1',
    ]) {
      expect(await cli.inProcess(args)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(
          /^ERR_UNKNOWN_GROUP: group biling has no committed offsets.*did you mean billing\?/,
        ) as string,
      });
    }
    expect(await cli.inProcess('groups reset biling t --to 1 --execute')).toMatchObject({ code: 1 });
    expect(await committed('biling')).toEqual(new Map());
    expect(await cli.inProcess('groups reset other t --to 1 -p 0 --execute --force')).toMatchObject({ code: 0 });
    expect(await committed('other')).toEqual(new Map([[0, 1]]));
  });

  it('is listed and described', async () => {
    expect(lines((await cli.inProcess('groups ls')).out)).toEqual([
      { group: 'billing', active: false, topics: 1, lag: 3 },
    ]);
    const { err, out } = await cli.inProcess('groups describe billing');
    expect(err).toBe('group billing has no members\n');
    expect(lines(out)).toEqual([
      { topic: 't', partition: 0, committed: 2, end: 5, lag: 3 },
      { topic: 't', partition: 1, committed: 0, end: 0, lag: 0 },
    ]);
    await cli.inProcess('topics create other');
    expect((await cli.inProcess('lag billing other')).err).toBe('group billing has no committed offsets of other\n');
  });

  it('is not moved beyond the end of a partition', async () => {
    const beyond = await cli.inProcess('groups reset billing t --to 3 --execute');
    expect(beyond).toMatchObject({ code: 2, err: expect.stringContaining('partition 1 of t ends at 0') as string });
    expect(await committed('billing')).toEqual(new Map([[0, 2], [1, 0]])); // biome-ignore format: as a table
    expect(await cli.inProcess('groups reset billing t --to 3 -p 0 --execute')).toMatchObject({ code: 0 });
    expect((await committed('billing')).get(0)).toBe(3);
    expect((await cli.inProcess('groups reset billing t --to 3 -p 0')).err).toBe('group billing is already there\n');
    expect(await cli.inProcess('groups reset billing t --to 0 -p 2')).toMatchObject({
      code: 2,
      err: expect.stringContaining('it has partitions 0 to 1') as string,
    });
  });

  it('is not moved while somebody reads for it', async () => {
    const member = cli.start(['consume', 't', '-g', 'billing', '-f', '%v']);
    await printed(member, '4');
    const shown = await cli.inProcess('groups reset billing t --to 0');
    expect(shown).toMatchObject({
      code: 0,
      err: expect.stringContaining('warning: group billing is in use') as string,
    });
    for (const force of ['', ' --force']) {
      expect(await cli.inProcess(`groups reset billing t --to 0 --execute${force}`)).toMatchObject({
        code: 2,
        err: expect.stringContaining('ERR_GROUP_ACTIVE: group billing is in use') as string,
      });
    }
    expect(await cli.inProcess('consume t -g billing -e')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/ERR_APPLICATION_RUNNING.*use another group/) as string,
    });
    member.child.kill('SIGINT');
    expect(await member.ended).toMatchObject({ code: 0 });
    expect((await committed('billing')).get(0)).toBe(5);
  });
});

it('refuses to move an application with state, unless it is told to', async () => {
  await cli.inProcess('topics create clicks');
  await cli.inProcess('topics create counts');
  await cli.inProcess('produce clicks -K :', 'a:1\na:2\nb:3\n');
  const clicks = topic('clicks', { key: string(), value: json<number>() });
  const counts = topic('counts', { key: string(), value: json<{ count: number }>() });
  const pipeline = clicks.pipe(aggregate({ count: agg.count() }, { store: 'clicks-by-key' }), to(counts));
  await run(pipeline, { applicationId: 'counter', path: `${cli.folder}/.millrace`, until: 'end' }).done;
  expect((await cli.inProcess('groups describe counter')).err).toBe(
    'group counter has no members; it keeps state in clicks-by-key\n',
  );
  const stands = (): Promise<PartitionOffsets> => cli.withClient((client) => client.committed('counter', 'clicks'));
  const shown = await cli.inProcess('groups reset counter clicks --to start');
  expect(shown.err).toMatch(
    /warning: group counter is an application that keeps state in clicks-by-key.*another applicationId/,
  );
  const refused = await cli.inProcess('groups reset counter clicks --to start --execute');
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^ERR_GROUP_STATEFUL/) as string });
  expect(await stands()).toEqual(new Map([[0, 3]]));
  expect(await cli.inProcess('groups reset counter clicks --to start --execute --force')).toMatchObject({ code: 0 });
  expect(await stands()).toEqual(new Map([[0, 0]]));
  // Set by hand, the offset does not name the stores any more; the log still does.
  expect((await cli.inProcess('groups describe counter')).err).toContain('it keeps state in clicks-by-key');
});
