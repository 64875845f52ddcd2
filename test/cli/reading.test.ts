import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lines, useCliOnce } from './processes.ts';

const cli = useCliOnce();
const VALUES = ['{"user":"ada","total":3}', '{"user":"bob","total":12}', '{"user":"ada","total":40}', 'no json'];

beforeAll(async () => {
  await cli.inProcess('topics create t');
  const records = VALUES.map((value, at) => JSON.stringify({ key: `k${at}`, value, timestamp: (at + 1) * 1000 }));
  await cli.inProcess('produce t -J', `${records.join('\n')}\n`);
  await cli.inProcess('topics create u -p 2');
  await cli.inProcess('produce u -p 1', '1\n2\n3\n');
  await cli.inProcess('consume t -g g -n 2');
  await cli.inProcess('consume u -g g -e');
});

describe('consume', () => {
  const keys = async (args: readonly string[]): Promise<string> => {
    const { code, out } = await cli.inProcess(['consume', 't', '-e', '-f', '%k ', ...args]);
    expect(code).toBe(0);
    return out.replaceAll('\n', '').trim();
  };

  it('takes conditions, and all of several', async () => {
    expect(await keys(['--filter', '.user == ada'])).toBe('k0 k2');
    expect(await keys(['--filter', '.total > 3'])).toBe('k1 k2');
    expect(await keys(['--filter', '.user == ada', '--filter', '.total > 3'])).toBe('k2');
    expect(await keys(['--filter', '. == "no json"'])).toBe('k3');
    expect(await keys(['--filter', 'key == k1', '--grep', 'bob'])).toBe('k1');
    expect(await cli.inProcess(['consume', 't', '-e', '--filter', 'total > 3'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('is not a condition') as string,
    });
  });

  it('takes times as --from and --to', async () => {
    expect(await keys(['--from', '2000'])).toBe('k1 k2 k3');
    expect(await keys(['--from', '2000', '--to', '4000'])).toBe('k1 k2');
    expect(await keys(['--to', '1970-01-01T00:00:02Z'])).toBe('k0');
    expect(await keys(['--from', '-1h'])).toBe('');
  });

  it('prints keys and values with a delimiter, which produce reads', async () => {
    const { out } = await cli.inProcess(['consume', 't', '-e', '-n', '2', '-K', '\\t']);
    expect(out).toBe(`k0\t${VALUES[0]}\nk1\t${VALUES[1]}\n`);
    await cli.inProcess('topics create copy');
    expect((await cli.inProcess(['produce', 'copy', '-K', '\\t'], out)).code).toBe(0);
    expect((await cli.inProcess('consume copy -e -K %%')).out).toBe(`k0%%${VALUES[0]}\nk1%%${VALUES[1]}\n`);
  });

  it('exits with 3 when there are fewer records than are expected, and ends when there are as many', async () => {
    expect(await cli.inProcess('consume t --expect 4 -f %k,')).toMatchObject({ code: 0, out: 'k0,\nk1,\nk2,\nk3,\n' });
    expect(await cli.inProcess(['consume', 't', '-e', '--expect', '3', '--filter', '.user == ada'])).toMatchObject({
      code: 3,
      err: 'there are 2 records instead of 3\n',
    });
    expect(await cli.inProcess('consume u -e --expect 0 -g none')).toMatchObject({ code: 0, out: '' });
  });

  it('ends after a time with 124, with what was there', async () => {
    const ended = await cli.inProcess('consume t --timeout 300ms --expect 5 -f %k,');
    expect(ended).toMatchObject({
      code: 124,
      out: 'k0,\nk1,\nk2,\nk3,\n',
      err: 'stopped after 300ms, with 4 records\n',
    });
    // It had what it was to have.
    expect(await cli.inProcess('consume t --timeout 1m -n 2 -f %k')).toMatchObject({ code: 0 });
  });

  it.each([
    ['consume t -J -K :', '--json and --key-delimiter are both given'],
    ['consume t -n 1 --expect 1', 'leave --num out'],
    ['consume t -o 1 --from 1', '--offset and --from'],
    ['consume t -o 1 --to 1', 'e@TIME'],
    ['consume t -g g --from 1', 'groups reset'],
    ['consume t --from soon -e', 'is not a position'],
    ['consume t --timeout 5', 'ERR_DURATION'],
    ['consume t --read-committed --read-uncommitted', 'both given'],
    ['consume t --expect -1', 'a whole number, 0 or more'],
    ['produce t --rate 0', 'a whole number, 1 or more'],
  ])('%s: is refused', async (args, message) => {
    expect(await cli.inProcess(args)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message) as string,
    });
  });
});

describe('produce --rate', () => {
  it('writes no more than that in a second', async () => {
    await cli.inProcess('topics create paced');
    expect((await cli.inProcess('produce paced --rate 20 --repeat 5', 'x\n')).err).toBe('5 records written to paced\n');
    const times = lines((await cli.inProcess('consume paced -e')).out).map(
      (line) => (line as { timestamp: number }).timestamp,
    );
    // 4 pauses of 50 ms; timestamps are cut to whole ms.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(195);
  });
});

describe('--quiet', () => {
  it('leaves only data and errors', async () => {
    expect(await cli.inProcess('groups describe g -q')).toMatchObject({ code: 0, err: '' });
    expect((await cli.inProcess('groups describe g')).err).toBe('group g has no members\n');
    expect(await cli.inProcess('consume nope -q')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nope') as string,
    });
  });
});

describe('groups reset', () => {
  const moved = async (args: string): Promise<string> => {
    const { code, err, out } = await cli.inProcess(`groups reset g ${args}`);
    expect(code, err).toBe(0);
    return (lines(out) as { topic: string; partition: number; new: number }[])
      .map((row) => `${row.topic}/${row.partition}=${row.new}`)
      .join(' ');
  };

  it("takes the spellings of Kafka's own tools, for one topic or for all", async () => {
    expect(await moved('t --to-earliest')).toBe('t/0=0');
    expect(await moved('t --to-latest')).toBe('t/0=4');
    expect([await moved('t --to earliest'), await moved('t --to latest')]).toEqual(['t/0=0', 't/0=4']);
    expect(await moved('t --to-offset 1')).toBe('t/0=1');
    expect(await moved('t --to-offset 100')).toBe('t/0=4');
    expect(await moved('t --to-datetime 1970-01-01T00:00:03Z')).toBe('t/0=2');
    expect(await moved('t --by-duration PT1H')).toBe('t/0=4');
    expect(await moved('t --shift-by -1')).toBe('t/0=1');
    expect(await moved('t --shift-by +1')).toBe('t/0=3');
    expect(await moved('--to-latest')).toBe('t/0=4 u/0=0 u/1=3');
    expect(await moved('t u --to start -p 0')).toBe('t/0=0 u/0=0');
  });

  it('exports offsets, and takes them from a file', async () => {
    const { out } = await cli.inProcess('groups reset g --shift-by -1 --export');
    expect(out).toBe('t,0,1\nu,0,0\nu,1,2\n');
    writeFileSync(join(cli.folder, 'offsets.csv'), out);
    const file = join(cli.folder, 'offsets.csv');
    expect((await cli.inProcess(`groups reset other --from-file ${file} --execute --force`)).err).toContain('moved');
    expect(lines((await cli.inProcess('lag other')).out)).toMatchObject([
      { topic: 't', committed: 1 },
      { topic: 'u', partition: 0, committed: 0 },
      { topic: 'u', partition: 1, committed: 2 },
    ]);
    expect(await cli.inProcess(`groups reset other --from-file ${file}`)).toMatchObject({
      code: 0,
      err: 'group other is already there\n',
    });
  });

  it.each([
    ['t,0,1\nu,9,4\n', 'u has no partition 9'],
    ['u,0,1\nt,0,1\nu,0,2\n', 'line 3 names u, partition 0 again'],
  ])('takes nothing from a file with a mistake in it: %j', async (text, message) => {
    const file = join(cli.folder, 'mistaken.csv');
    writeFileSync(file, text);
    expect(await cli.inProcess(`groups reset g --from-file ${file} --execute --force`)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message) as string,
    });
    expect(await cli.inProcess(`lag g`)).toMatchObject({ code: 0 });
  });

  it.each([
    ['t', 'nothing says where'],
    ['t --to start --to-latest', 'more than one place'],
    ['t --to-earliest --to-latest', 'more than one place'],
    ['t --to-latest --dry-run --yes', 'both given'],
    ['t --shift-by x', 'a whole number'],
    ['t --from-file nope', 'cannot be read'],
    ['t --to-latest -p 3', 'it has only partition 0'],
    ['--to-latest -p 1', 'topic t has no partition 1'],
  ])('%s: is refused', async (args, message) => {
    expect(await cli.inProcess(`groups reset g ${args}`)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(message) as string,
    });
  });
});
