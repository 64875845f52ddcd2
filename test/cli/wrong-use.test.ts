import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lines, useCli } from './processes.ts';

const cli = useCli();

describe('a folder without a log', () => {
  it.each([
    'topics ls',
    'topics describe t',
    'topics configure t -c retentionMs=1',
    'topics delete t --yes',
    'consume t -e',
    'consume t -g g -e',
    'produce t',
    'lag g',
    'groups ls',
    'groups describe g',
    'groups reset g t --to start --execute --force',
  ])('is not begun by %s', async (args) => {
    expect(await cli.inProcess(`${args} --path ${join(cli.folder, 'nope')}`, 'a\n')).toEqual({
      code: 1,
      out: '',
      err:
        `ERR_NO_LOG: There is no log in ${join(cli.folder, 'nope')}: there is no such folder – name another folder with ` +
        '--path or MILLRACE_PATH, or a cluster with --brokers; millrace topics create creates a log\n',
    });
    expect(readdirSync(cli.folder)).toEqual([]);
  });

  it('stays empty', async () => {
    mkdirSync(join(cli.folder, 'empty'));
    expect((await cli.inProcess(`consume t -e --path ${join(cli.folder, 'empty')}`)).err).toContain(
      'the folder is empty',
    );
    expect(readdirSync(join(cli.folder, 'empty'))).toEqual([]);
    expect(await cli.inProcess(`topics create t --path ${join(cli.folder, 'empty')}`)).toMatchObject({ code: 0 });
    expect(await cli.inProcess(`consume t -e --path ${join(cli.folder, 'empty')}`)).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });
});

describe('options', () => {
  it('with several values do not swallow what stands behind them', async () => {
    expect(await cli.inProcess('topics create -c cleanup=compact -c retentionMs=-1 -p 3 t')).toEqual({
      code: 0,
      out: '',
      err: 'topic t was created, with 3 partitions\n',
    });
    expect(await cli.inProcess('produce -H a=1 -H b=x=y -p 2 t', 'v\n')).toMatchObject({ code: 0 });
    const found = [{ partition: 2, value: 'v', headers: [['a', '1'], ['b', 'x=y']] }]; // biome-ignore format: as a table
    expect(lines((await cli.inProcess('consume -e -p 0,2 -p 1 t')).out)).toMatchObject(found);
    expect(lines((await cli.inProcess('consume -e -p 2 t')).out)).toMatchObject(found);
    expect((await cli.inProcess('consume -e -p 0 t')).out).toBe('');
    expect(lines((await cli.inProcess('consume -o s@0 -o e@-0s t')).out)).toMatchObject(found);
  });

  it.each([
    ['consume -p -1 t', 'partitions are numbered from 0'],
    ['consume -p 0x1 t', 'partitions are numbered from 0'],
    ['consume -p 0, t', 'partitions are numbered from 0'],
    ['consume t -p 3 -e', 'has partitions 0 to 2'],
    ['groups reset g t --to -1h', '"-1h" is not a position in a topic'],
    ['consume', '--help shows what there is'],
    ['consume t -o 5:3', 'ends before it starts'],
    ['consume t -o @2026-01-02:2026-01-01', 'ends before it starts'],
    ['consume t -n 1 -c 2', 'leave one of them out'],
    ['consume t --from-beginning -o end', 'leave one of them out'],
    ['consume t -J -f %v', 'leave one of them out'],
    ['graph any.ts --json -f dot', 'leave one of them out'],
    ['doctor --try', '--try is for a cluster'],
    ['consume t -g g -o 0', 'groups reset'],
    ['consume t -f 100%', '%% for %'],
    ['consume t u', 'too many arguments'],
    ['consume t --partitions 0', 'Did you mean --partition?'],
    ['consume t --max-messages 1', '(Here it is consume -n)'],
    ['consume t --timeout-ms=100', '(Here it is consume --timeout'],
    ['consume --bootstrap-server b:1 t', '(Here it is --brokers)'],
    ['consume -t t', 'the topic as an argument'],
    ['produce --topic t', 'the topic as an argument'],
    ['topics --list', 'millrace topics ls'],
    ['groups --describe --group g', 'millrace groups describe GROUP'],
    ['-L', 'millrace topics ls'],
    ['-C -t t', 'millrace consume TOPIC'],
    ['produce t -H foo', 'give NAME=VALUE'],
    ['produce t -H =v', 'give NAME=VALUE'],
    ['produce t -p x', 'partitions are numbered from 0'],
    ['produce t -K : -k x', 'both given'],
    ['produce t -Z -K :', 'both given'],
    ['produce t -Z --value json', 'a tombstone has no value'],
    ['produce t -J -k x', 'the lines already contain keys'],
    ['produce t --key int32', 'the records have no keys'],
    ['produce t --repartition', 'without --json'],
    ['produce t -J --repartition -p 0', 'leave one of them out'],
    ['topics create u -c compact', 'give NAME=VALUE'],
    ['topics create u -c cleanup=compat', 'must be "delete", "compact"'],
    ['topics create u -c retentionMS=5', 'did you mean retentionMs?'],
    ['topics create u -c retentionMs=7d', '604800000 for "7d"'],
    ['topics create u -c cleanup=compact -c cleanup=delete', 'given twice'],
    ['topics create u -p 0', 'a whole number, 1 or more'],
    ['topics create t', 'add --if-not-exists to accept that'],
    ['topics configure t', 'there is nothing to change'],
    ['topics configure t -p 2', 'partitions can only be added'],
    ['lag g --max x', 'a whole number, 0 or more'],
    ['groups reset g t --to 1:2', 'give one place'],
    ['topics ls --brokers localhost', 'host:port, such as localhost:9092'],
    ['topics ls --brokers b:1 --sasl plane', 'use one of plain, scram-sha-256, scram-sha-512'],
    ['topics ls --brokers b:1 --sasl plain', '--sasl-user'],
  ])('%s: is refused with what to do', async (args, message) => {
    await cli.inProcess('topics create t -p 3');
    expect(await cli.inProcess(args, 'v\n')).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining(message) as string,
    });
    expect((await cli.inProcess('consume t -e')).out).toBe('');
    expect(lines((await cli.inProcess('topics ls')).out)).toEqual([{ topic: 't', partitions: 3, records: 0 }]);
  });

  it('without a value are refused, and no other log is taken', async () => {
    await cli.inProcess('topics create t');
    for (const flag of ['--brokers', '--path']) {
      expect(await cli.inProcess(['topics', 'ls', flag, ''])).toMatchObject({
        code: 2,
        err: expect.stringContaining('is empty') as string,
      });
    }
    expect(await cli.inProcess(['produce', 't', '-K', ''])).toMatchObject({ code: 2 });
    expect(await cli.inProcess(['consume', 't', '-g', ''])).toMatchObject({ code: 2 });
  });

  it('show the stack of an error, before and behind the command', async () => {
    for (const args of ['--debug topics ls', 'topics ls --debug']) {
      expect((await cli.inProcess(args)).err).toMatch(/StoreError: There is no log.*\n\s+at /);
    }
  });

  it('for places where nothing is are told so', async () => {
    await cli.inProcess('topics create t');
    await cli.inProcess('produce t', 'a\n');
    expect(await cli.inProcess('consume t -e -o 99')).toEqual({
      code: 0,
      out: '',
      err: 'there are no records of t at 99\n',
    });
    expect(await cli.inProcess('consume t -o 99')).toMatchObject({
      code: 1,
      err: expect.stringContaining('start with -o end') as string,
    });
  });

  it('name what was meant', async () => {
    await cli.inProcess('topics create orders');
    expect((await cli.inProcess('consume order -e')).err).toContain('did you mean orders?');
    expect((await cli.inProcess('consume zzz -e')).err).toContain('there are orders');
  });
});
