import type { Command } from 'commander';
import { beforeAll, expect, it } from 'vitest';
import type { Context } from '../../src/cli/context.ts';
import { program } from '../../src/cli/program.ts';
import { writeCounts } from './counts-file.ts';
import { lines, useCliOnce } from './processes.ts';

const cli = useCliOnce();

/** How each command is called in the folder of this test, without changing what others of them show. */
const CALLS: Readonly<Record<string, string>> = {
  'topics ls': '',
  'topics describe': 'clicks',
  'topics create': 'clicks --if-not-exists',
  'topics configure': 'totals -c retentionMs=60000',
  'topics release': 'totals',
  'topics delete': 'clicks',
  'groups ls': '',
  'groups describe': 'counts',
  'groups reset': 'counts clicks --to-earliest',
  'state ls': 'counts',
  'state get': 'counts counts ada',
  'state scan': 'counts counts',
  'state export': 'counts',
  'state verify': 'counts',
  'dlq ls': 'bad',
  'dlq show': 'bad 0@0',
  'dlq replay': 'bad --all',
  'dlq drop': 'bad',
  'config show': '',
  consume: 'clicks -e',
  produce: 'totals',
  lag: 'counts',
  reset: 'counts',
  run: 'counts.ts -e --app other',
  dev: 'counts.ts --dashboard 0',
  dashboard: '--port 0',
  graph: 'counts.ts --json',
  doctor: '',
  init: 'project --no-install',
  completion: 'bash',
};
/** They go on until they are stopped. */
const ENDLESS = ['dev', 'dashboard'];
/** What they print is no list of objects: nothing, a script, or a picture. */
const NO_OBJECTS = [
  ...ENDLESS,
  'topics create',
  'topics configure',
  'topics release',
  'topics delete',
  'state verify',
  'dlq drop',
  'produce',
  'run',
  'init',
  'completion',
];
/** They have nothing to do with a log. */
const NO_LOG = ['config show', 'graph', 'init', 'completion'];

const call = (name: string): string[] => `${name} ${CALLS[name]}`.trim().split(' ');

function leaves(command: Command, names: readonly string[]): string[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length === 0) return [names.join(' ')];
  return children.flatMap((child) => leaves(child, [...names, child.name()]));
}

/** A few at a time: each is a process. */
async function each<T>(
  names: readonly string[],
  work: (name: string) => Promise<T>,
  width: number = 3,
): Promise<ReadonlyMap<string, T>> {
  const results = new Map<string, T>();
  const rest = [...names];
  const next = async (): Promise<void> => {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) results.set(name, await work(name));
  };
  await Promise.all(Array.from({ length: width }, next));
  return results;
}

const names = Object.keys(CALLS);

beforeAll(async () => {
  cli.project();
  writeCounts(cli.folder);
  await cli.inProcess('topics create clicks -p 2');
  await cli.inProcess('produce clicks -K = -p 0', 'ada={"page":"home"}\nbob=oops\n');
  await cli.run('run counts.ts -e -q');
});

it('is called here', () => {
  expect([...names].sort()).toEqual(leaves(program({} as Context, ''), []).sort());
});

it('ends with 2 for a wrong flag, and prints nothing', async () => {
  const results = await each(names, (name) => cli.inProcess([...call(name), '--no-such-flag']));
  for (const [name, { code, err, out }] of results) {
    expect({ name, code, out }).toEqual({ name, code: 2, out: '' });
    expect(err, name).toContain("unknown option '--no-such-flag'");
  }
});

it('ends with 0, and prints objects where somebody reads them', async () => {
  const results = await each(
    names.filter((name) => !ENDLESS.includes(name)),
    (name) => cli.run(call(name)),
  );
  for (const [name, { code, err, out }] of results) {
    expect({ name, code, err: code === 0 ? '' : err }).toEqual({ name, code: 0, err: '' });
    if (NO_OBJECTS.includes(name)) continue;
    const objects = name === 'graph' ? [JSON.parse(out) as unknown] : lines(out);
    expect(objects.length, name).toBeGreaterThan(0);
  }
});

it('ends without a word when nobody reads any more', async () => {
  const results = await each(
    names.filter((name) => !ENDLESS.includes(name) && name !== 'init'),
    (name) => {
      const { child, ended } = cli.start([...call(name), ...(['graph', 'completion'].includes(name) ? [] : ['-q'])]);
      child.stdin.end();
      child.stdout.destroy();
      return ended;
    },
  );
  for (const [name, { code, err }] of results) {
    expect({ name, code }).toEqual({ name, code: 0 });
    expect(err, name).not.toMatch(/EPIPE|\n\s+at /);
  }
});

it('says so when there is no broker', async () => {
  const results = await each(
    names.filter((name) => !NO_LOG.includes(name) && name !== 'dev'),
    (name) => cli.run([...call(name), '-b', '127.0.0.1:1', ...(name === 'run' ? ['--timeout', '2s'] : [])]),
    // Each waits for some seconds.
    12,
  );
  for (const [name, { code, err, out }] of results) {
    expect({ name, code }).toEqual({ name, code: name === 'doctor' ? 3 : name === 'run' ? 124 : 1 });
    expect(name === 'doctor' ? out : err, name).toMatch(/ECONNREFUSED|127\.0\.0\.1:1/);
    if (name !== 'doctor') expect(out, name).toBe('');
    expect(err, name).not.toMatch(/\n\s+at /);
  }
});
