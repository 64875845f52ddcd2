import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lines, told, useCliOnce } from './processes.ts';

const cli = useCliOnce();

const COUNTS = `
  import { agg, aggregate, json, string, topic, tumbling, windowBy } from 'millrace';
  const clicks = topic('clicks', { key: string(), value: json<{ page: string }>() });
  export default [
    clicks.pipe(aggregate({ clicks: agg.count(), last: agg.last((click: { page: string }) => click.page) }, { store: 'counts' })),
    clicks.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'per-minute' })),
  ];
`;
const record = (key: string, page: string, timestamp: number): string =>
  JSON.stringify({ key, value: { page }, timestamp });

beforeAll(async () => {
  cli.project();
  writeFileSync(join(cli.folder, 'counts.ts'), COUNTS);
  await cli.inProcess('topics create clicks');
  const records = [
    record('ada', 'home', 1000),
    record('bob', 'unmistakable-page', 2000),
    record('ada', 'cart', 61_000),
  ];
  await cli.inProcess('produce clicks -J --value json', `${records.join('\n')}\n`);
  await cli.run('run counts.ts --exit-on-end -q');
});

const get = async (args: string): Promise<unknown[]> => lines((await cli.inProcess(`state get ${args}`)).out);

describe('millrace state', () => {
  it('lists stores with what wrote them', async () => {
    const { code, err, out } = await cli.run('state ls counts');
    expect([code, err]).toEqual([0, 'application counts is not running\n']);
    expect(lines(out)).toMatchObject([
      { store: 'counts', partitions: 1, entries: 2 },
      { store: 'per-minute', partitions: 1, writtenBy: expect.stringContaining('tumbling(1m)') as string },
    ]);
  });

  it('shows what a key has, decoded by the pipeline, and all of its windows', async () => {
    const decoded = await cli.run('state get counts counts ada --with counts.ts');
    expect(decoded).toMatchObject({ code: 0, err: '' });
    expect(lines(decoded.out)).toEqual([{ key: 'ada', value: { clicks: 2, last: 'cart' }, timestamp: 61_000 }]);
    const windows = await cli.run('state get counts per-minute ada --with counts.ts');
    expect(lines(windows.out)).toEqual([
      { key: 'ada', window: { start: 60_000, end: 120_000 }, value: 1, timestamp: 61_000 },
    ]);
    expect(await cli.run('state get counts counts cy --with counts.ts')).toMatchObject({ code: 1, out: '' });
  });

  it('shows bytes without a pipeline', async () => {
    expect(await get('counts counts bob')).toMatchObject([{ partition: 0, key: 'bob', valueEncoding: 'base64' }]);
  });

  it.each([
    ['get counts per-minute ada', 1],
    ['scan counts per-minute --prefix a', 0],
    ['scan counts per-minute --prefix AAA', 0],
  ])('%s: does not say that there is nothing, where it cannot read the keys', async (args, exitCode) => {
    const { code, err, out } = await cli.inProcess(`state ${args}`);
    expect([code, out]).toEqual([exitCode, '']);
    expect(err).toContain('add --with FILE');
  });

  it('scans, by the beginning of keys and up to a number, and exports everything', async () => {
    const scan = async (args: string): Promise<unknown[]> =>
      lines((await cli.inProcess(`state scan counts counts${args}`)).out).map((row) => (row as { key: string }).key);
    expect(await scan('')).toEqual(['ada', 'bob']);
    expect(await scan(' --prefix b')).toEqual(['bob']);
    expect(await scan(' -n 1')).toEqual(['ada']);
    const { out } = await cli.run('state export counts --with counts.ts');
    expect(lines(out).map((row) => (row as { store: string }).store)).toEqual(['counts', 'counts', 'per-minute']);
  });

  it('reads beside a running application, and disturbs nothing', async () => {
    const running = cli.start(['run', 'counts.ts']);
    await told(running, 'ready after');
    expect((await cli.run('state ls counts')).err).toContain('is running');
    expect(lines((await cli.run('state get counts counts ada --with counts.ts')).out)).toHaveLength(1);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it.each([
    ['state get counts count ada', 2, 'did you mean counts?'],
    ['state ls count', 1, 'application count has neither offsets nor state on this log – did you mean counts?'],
    ['state ls counts --path nowhere', 1, 'ERR_NO_LOG'],
    ['state get counts counts ada --key-serde int', 2, 'Allowed choices are'],
    ['state get counts counts ada --key-serde number', 2, 'is not a number'],
    ['state ls counts -b 127.0.0.1:1', 1, 'ECONNREFUSED'],
    ['state ls counts --state-dir nowhere', 1, 'ERR_NO_LOG: There are no stores of application counts in nowhere'],
    ['state ls counts --state-dir nowhere --path x', 2, 'leave one of them out'],
    ['state scan counts counts --with nope.ts', 2, 'there is no file'],
    ['state', 2, 'Usage: millrace state'],
  ])('%s: ends with %i', async (args, code, message) => {
    const result = await cli.run(args);
    expect({ code: result.code, out: result.out }, result.err).toEqual({ code, out: '' });
    expect(result.err).toContain(message);
  });

  it('ends quietly when nobody reads', async () => {
    const { child, ended } = cli.start(['state', 'export', 'counts']);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
  });

  // The last one: it damages the log.
  it('verifies, and finds what is damaged', async () => {
    const sound = await cli.run('state verify counts --with counts.ts');
    expect(sound).toMatchObject({ code: 0, out: '' });
    expect(sound.err).toContain('as it was written');
    const data = join(cli.folder, '.millrace/log.mdb');
    const bytes = readFileSync(data);
    // All copies: older pages hold some too.
    for (let at = bytes.indexOf('unmistakable-page'); at !== -1; at = bytes.indexOf('unmistakable-page', at + 1))
      bytes[at] = 1;
    writeFileSync(data, bytes);
    const { code, err, out } = await cli.run('state verify counts');
    expect(code, err).toBe(3);
    expect(lines(out)).toMatchObject([{ reason: expect.stringContaining('does not match its checksum') as string }]);
  });
});
