import { once } from 'node:events';
import { join } from 'node:path';
import { bytes, connect, nullable, topic } from 'millrace';
import { describe, expect, it } from 'vitest';
import { lines, printed, useCli } from './processes.ts';

const cli = useCli();
const millrace = (args: string, input?: string) => cli.inProcess(args, input);
const start = cli.start.bind(cli);

describe('millrace', () => {
  it('creates, lists, describes, configures and deletes topics', async () => {
    expect(await millrace('topics create orders -p 3 -c cleanup=compact')).toMatchObject({ code: 0, out: '' });
    expect(await millrace('topics create orders -p 3')).toMatchObject({ code: 2 });
    expect(await millrace('topics create orders --if-not-exists')).toMatchObject({ code: 0 });
    expect(lines((await millrace('topics ls')).out)).toEqual([{ topic: 'orders', partitions: 3, records: 0 }]);
    const described = await millrace('topics describe orders');
    expect(described.err).toContain('cleanup=compact');
    expect(lines(described.out)).toHaveLength(3);
    expect(await millrace('topics configure orders -c retentionMs=1000 -p 4')).toMatchObject({ code: 0 });
    const changed = await millrace('topics describe orders');
    expect(changed.err).toContain('retentionMs=1000');
    expect(lines(changed.out)).toHaveLength(4);
    expect((await millrace('topics delete orders')).err).toContain('would be deleted; add --yes');
    expect(lines((await millrace('topics ls')).out)).toHaveLength(1);
    expect(await millrace('topics delete orders --yes')).toMatchObject({ code: 0 });
    expect((await millrace('topics ls')).err).toContain('there are no topics');
  });

  it('writes lines, and reads ranges of them', async () => {
    await cli.inProcess('topics create t');
    const written = await millrace('produce t -K : -H from=test', 'a:1\nb:2\nc:3\nd:x:4\n');
    expect(written).toMatchObject({ code: 0, out: '', err: '4 records written to t\n' });
    const values = async (args: string): Promise<string> => (await millrace(`consume t -e -f %k=%v; ${args}`)).out;
    expect((await millrace('consume t -e -f %k=%v,')).out.replaceAll('\n', '')).toBe('a=1,b=2,c=3,d=x:4,');
    expect(await values('-o -2')).toBe('c=3;\nd=x:4;\n');
    expect(await values('-o 1:3')).toBe('b=2;\nc=3;\n');
    expect(await values('-o +3')).toBe('d=x:4;\n');
    expect(await values('-n 1')).toBe('a=1;\n');
    expect(await values('--grep x:')).toBe('d=x:4;\n');
    expect(await values('-o end')).toBe('');
    expect(await values('-o @-1h')).toBe('a=1;\nb=2;\nc=3;\nd=x:4;\n');
    expect((await millrace('produce t -Z', 'a\n')).code).toBe(0);
    expect(lines((await millrace('consume t -J -o -1 -e')).out)).toMatchObject([{ key: 'a', value: null, offset: 4 }]);
  });

  it('copies a topic byte for byte', async () => {
    const declare = (name: string) => topic(name, { key: nullable(bytes()), value: nullable(bytes()), partitions: 3 });
    const client = await connect({ path: join(cli.folder, '.millrace') });
    const raw = (...numbers: number[]): Uint8Array => Uint8Array.from(numbers);
    const records = [
      { key: raw(0, 0, 0, 1), value: raw(0xff, 0xfe), timestamp: 5, headers: [['h', raw(0x80)] as const] },
      { key: null, value: raw(), timestamp: 6, partition: 2 },
      { key: new TextEncoder().encode('ü\n"'), value: null, timestamp: 7, headers: [['', null] as const] },
      { key: raw(0xef, 0xbb, 0xbf, 65), value: new TextEncoder().encode('{"n": 1.0}'), timestamp: 0 },
    ];
    await client.publishAll(declare('from'), records);
    await client.topics.create(declare('to'));
    await client.close();
    const from = start(['consume', 'from', '-J', '-e']);
    const to = start(['produce', 'to', '-J']);
    from.child.stdout.pipe(to.child.stdin);
    expect(await to.ended).toMatchObject({ code: 0, err: '4 records written to to\n' });
    const read = async (name: string): Promise<unknown[]> =>
      lines((await millrace(`consume ${name} -J -e`)).out).map((line) => ({ ...(line as object), topic: '' }));
    const byPlace = (line: unknown): string => JSON.stringify(line);
    expect((await read('to')).map(byPlace).sort()).toEqual((await read('from')).map(byPlace).sort());
  });

  it('encodes and decodes by the names of serdes', async () => {
    await cli.inProcess('topics create n');
    await millrace('produce n -K = --key int64 --value msgpack', '9007199254740993={"a":[1,null]}\n');
    expect(lines((await millrace('consume n -e --key int64 --value msgpack')).out)).toMatchObject([
      { key: '9007199254740993', value: { a: [1, null] } },
    ]);
    expect(lines((await millrace('consume n -e --value json')).out)).toMatchObject([
      { valueError: expect.stringContaining('json cannot read') as string },
    ]);
    const refused = await millrace('produce n --value int32', '1\nseven\n');
    expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/line 2/) as string });
  });

  it('shows and moves groups', async () => {
    await cli.inProcess('topics create t');
    await cli.inProcess('produce t', 'a\nb\nc\n');
    expect((await millrace('lag g')).err).toContain('group g has no committed offsets');
    expect((await millrace('consume t -g g -n 2')).code).toBe(0);
    expect((await millrace('consume t -g g -e -f %v')).out).toBe('c\n');
    expect(await millrace('lag g --max 0')).toMatchObject({ code: 0 });
    expect((await millrace('groups reset g t --to 1')).err).toContain('add --execute');
    expect(lines((await millrace('lag g t')).out)).toEqual([
      { topic: 't', partition: 0, committed: 3, end: 3, lag: 0 },
    ]);
    expect(await millrace('groups reset g t --to 1 --execute')).toMatchObject({ code: 0 });
    expect(await millrace('lag g --max 1')).toMatchObject({
      code: 3,
      err: expect.stringContaining('lag of g is 2') as string,
    });
    expect((await millrace('consume t -g g -e -f %v')).out).toBe('b\nc\n');
  });

  it.each([
    ['consum t', 2, 'Did you mean consume?'],
    ['consume', 2, "missing required argument 'topic'"],
    ['consume nope -e', 1, 'there is no topic nope'],
    ['consume t -o zzz', 2, 'such as beginning, end, stored'],
    ['consume t -f %x', 2, 'there is no %x'],
    ['consume t --value jsn', 2, 'use one of string'],
    ['consume t -p 7 -e', 2, 'no partition 7'],
    ['consume t -n 0', 2, 'whole number'],
    ['consume t --path a --brokers b:1', 2, 'leave one of them out'],
    ['consume t --tls', 2, 'without brokers'],
    ['topics ls --brokers 127.0.0.1:1', 1, 'ECONNREFUSED'],
    ['topics', 2, 'Usage: millrace topics'],
  ])('%s: ends with %i', { timeout: 30_000 }, async (args, code, message) => {
    await cli.inProcess('topics create t');
    expect(await millrace(args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) as string });
  });

  it('goes on until Ctrl-C, and ends with 0', async () => {
    await cli.inProcess('topics create t');
    const consumer = start(['consume', 't', '-f', '%v']);
    await cli.inProcess('produce t', 'first\n');
    await printed(consumer, 'first');
    consumer.child.kill('SIGINT');
    expect(await consumer.ended).toMatchObject({ code: 0, out: 'first\n', err: '' });
  });

  it('ends quietly when nobody reads any more', async () => {
    await cli.inProcess('topics create t');
    await millrace('produce t --repeat 20000', 'x'.repeat(100));
    const { child, ended } = start(['consume', 't']);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, err: '' });
  });

  it('shows no password', async () => {
    const env = {
      MILLRACE_BROKERS: '127.0.0.1:1',
      MILLRACE_SASL_MECHANISM: 'plain',
      MILLRACE_SASL_USERNAME: 'u',
      MILLRACE_SASL_PASSWORD: 'geheim',
    };
    const result = await start(['topics', 'ls', '--debug'], env).ended;
    expect(result.code).not.toBe(0);
    expect(result.out + result.err).not.toContain('geheim');
  });
});
