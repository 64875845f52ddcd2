import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { lines, useCli } from './processes.ts';

const cli = useCli();
const values = async (): Promise<string[]> => (await cli.inProcess('consume t -e -f %v')).out.split('\n').slice(0, -1);

beforeEach(async () => {
  await cli.inProcess('topics create t -c maxMessageBytes=1000');
});

describe('produce', () => {
  it('writes bytes as they are', async () => {
    const line = Buffer.from([0xff, 0x00, 0xe2, 0x80, 0xa8, 0x0d, 0x3a, 0xfe]);
    await cli.run('produce t -K :', Buffer.concat([line, Buffer.from('\n')]));
    expect(lines((await cli.inProcess('consume t -e')).out)).toMatchObject([
      { key: line.subarray(0, 6).toString('base64'), keyEncoding: 'base64', value: '/g==', valueEncoding: 'base64' },
    ]);
    const refused = await cli.run('produce t --value string', Buffer.concat([line, Buffer.from('\n')]));
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('line 1: it is not UTF-8') as string });
  });

  it('tells which lines are written when one is no record', async () => {
    const stopped = await cli.run('produce t --value int32', '1\n2\nthree\n4\n');
    expect(stopped).toMatchObject({ code: 1, out: '' });
    expect(stopped.err).toMatch(
      /^2 records written to t: lines 1 to 2; continue with line 3\nERR_ENVELOPE: line 3: "three" is not a number – int32 takes .*\n$/,
    );
    expect(await cli.run('produce t --value int32', 'one\n')).toMatchObject({
      err: expect.stringMatching(/^0 records written to t: continue with line 1\n/) as string,
    });
    expect(await cli.run('produce t -J', '{"value":"a"}\n{"value":"b","partition":7}\n')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/: line 1; continue with line 2\n.*line 2: .*--repartition/s) as string,
    });
  });

  it('tells so also when the log refuses one, with what was on its way behind it', async () => {
    // Bytes that do not compress, and a line that alone is too large.
    const large = Buffer.from(Array.from({ length: 1200 }, (_, i) => 33 + ((i * i * 7 + (i % 89)) % 90))).toString(
      'latin1',
    );
    const stopped = await cli.run('produce t -z none', `a\nb\n${large}\nc\n`);
    expect(stopped).toMatchObject({ code: 1 });
    expect(stopped.err).toMatch(/ERR_RECORD_TOO_LARGE: line 3: .*millrace topics configure t -c maxMessageBytes=N/);
    const written = await values();
    // Line 4 was on its way already, or it was not.
    if (written.includes('c'))
      expect(stopped.err).toContain('lines 1 to 2, 4; write line 3 again, and continue with line 5');
    else expect(stopped.err).toContain('lines 1 to 2; continue with line 3');
    expect(written.slice(0, 2)).toEqual(['a', 'b']);
  });

  it('compresses as it is told, and with nothing else', async () => {
    const size = (): number => statSync(join(cli.folder, '.millrace', 'log.mdb')).size;
    await cli.inProcess('topics create big');
    const line = 'x'.repeat(500_000);
    await cli.run('produce big -z gzip --repeat 8', line);
    const compressed = size();
    await cli.run('produce big -z none --repeat 8', line);
    expect(compressed).toBeLessThan(1_000_000);
    expect(size()).toBeGreaterThan(4_000_000);
    expect(await cli.run('produce t -z gzipp', 'a\n')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/gzipp.*Allowed choices are none, gzip, snappy, lz4, zstd/) as string,
    });
    expect(await values()).toEqual([]);
  });

  it('reads a file', async () => {
    writeFileSync(join(cli.folder, 'lines'), 'a\r\n\nb');
    expect(await cli.run('produce t -l lines')).toMatchObject({ code: 0, err: '3 records written to t\n' });
    expect(await values()).toEqual(['a', '', 'b']);
    expect(await cli.run('produce t -l nope')).toMatchObject({
      code: 2,
      err: expect.stringContaining('nope cannot be read: ENOENT') as string,
    });
    expect(await cli.run('produce t -l .')).toMatchObject({
      code: 2,
      err: expect.stringContaining('is a folder') as string,
    });
  });

  it('ends on Ctrl-C, with what it has read', async () => {
    const producer = cli.start(['produce', 't']);
    producer.child.stdin.write('a\nb\nc');
    while ((await values()).length < 2);
    producer.child.kill('SIGINT');
    expect(await producer.ended).toEqual({
      code: 0,
      out: '',
      err: '2 records written to t: lines 1 to 2; continue with line 3\n',
    });
  });

  it('takes more than fits into memory at once', async () => {
    await cli.inProcess('topics create big');
    const result = await cli.run('produce big -z lz4 --repeat 100', 'y'.repeat(900_000));
    expect(result).toMatchObject({ code: 0, err: '100 records written to big\n' });
  });
});
