import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, it } from 'vitest';
import { writeCounts } from './counts-file.ts';
import { command, lines, useCliOnce } from './processes.ts';

const cli = useCliOnce();

/** Runs a command on a terminal: a real one, which `script` makes. What it prints there, and what it says, come together. */
async function onTerminal(args: readonly string[]): Promise<{ readonly code: number | null; readonly screen: string }> {
  const quoted = [process.execPath, command, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], {
    cwd: cli.folder,
    env: { ...process.env, TERM: 'xterm', MILLRACE_LOG: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (screen += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, screen: screen.replaceAll('\r\n', '\n') };
}

beforeAll(async () => {
  cli.project();
  writeCounts(cli.folder);
  await cli.inProcess('topics create clicks -p 2');
  const records = [
    { key: 'ada', value: '{"page":"home"}', timestamp: 0, partition: 0 },
    { key: 'red', value: '\u001b[31mred\u0007', timestamp: 1000, partition: 1 },
  ];
  await cli.inProcess('produce clicks -J', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  await cli.run('run counts.ts -e -q');
});

it('tables have names over their columns, numbers to the right', async () => {
  expect(await onTerminal(['topics', 'ls'])).toEqual({
    code: 0,
    screen:
      'TOPIC   PARTITIONS  RECORDS\nbad              1        1\nclicks           2        2\ntotals           2        1\n',
  });
  expect((await onTerminal(['lag', 'counts'])).screen).toBe(
    'TOPIC   PARTITION  COMMITTED  END  LAG\nclicks          0          1    1    0\nclicks          1          1    1    0\n',
  );
  const state = (await onTerminal(['state', 'scan', 'counts', 'counts', '--with', 'counts.ts'])).screen;
  expect(state).toMatch(/^KEY +VALUE +TIMESTAMP\nada +\{"clicks":1\} +1970-01-01T00:00:00.000Z\n$/);
  expect((await onTerminal(['dlq', 'ls', 'bad'])).screen).toMatch(/^PLACE +.*CODE.*\n0@0 .*ERR_DECODE.*\n$/);
  expect((await onTerminal(['groups', 'reset', 'counts', '--to-latest'])).screen).toContain(
    'TOPIC   PARTITION  COMMITTED  NEW\n',
  );
});

it('records are lines for people, and nothing in them is obeyed unless it is wanted', async () => {
  const shown = (await onTerminal(['consume', 'clicks', '-e', '-p', '1'])).screen;
  expect(shown).toBe('1@0        1970-01-01T00:00:01.000Z  red  \\x1b[31mred\\x07\n');
  expect((await onTerminal(['consume', 'clicks', '-e', '-p', '1', '--raw'])).screen).toContain('\u001b[31mred\u0007');
  expect((await onTerminal(['consume', 'clicks', '-e', '-f', '%v', '-p', '1'])).screen).toBe('\\x1b[31mred\\x07\n');
});

it('with --json there are objects there too', async () => {
  expect(lines((await onTerminal(['topics', 'ls', '--json'])).screen)).toContainEqual({
    topic: 'clicks',
    partitions: 2,
    records: 2,
  });
  expect(lines((await onTerminal(['consume', 'clicks', '-e', '-p', '0', '-J'])).screen)).toMatchObject([
    { key: 'ada' },
  ]);
});

it('what is wrong has its exit code there', async () => {
  expect(await onTerminal(['lag', 'nobody'])).toMatchObject({
    code: 1,
    screen: expect.stringContaining('ERR_UNKNOWN_GROUP') as string,
  });
});
