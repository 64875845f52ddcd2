import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { lines, told, useCli } from './processes.ts';

const cli = useCli();
const file = (name: string, text: string): void => writeFileSync(join(cli.folder, name), text);

/** Doubles numbers, or whatever else is to be done with them. */
const doubling = (step: string = 'value * 2', rest: string = ''): string => `
  import { json, mapValues, string, to, topic } from 'millrace';
  interface Settings { readonly verbose: boolean }
  const numbers = topic('numbers', { key: string(), value: json<number>() });
  const doubled = topic('doubled', { key: string(), value: json<number>() });
  ${rest}
  export default numbers.pipe(mapValues((value: number) => ${step}), to(doubled));
`;

const values = async (topic: string = 'doubled'): Promise<string> =>
  (await cli.run(`consume ${topic} -e -f %v\\n`)).out.trim().replaceAll('\n', ' ');

beforeEach(async () => {
  cli.project();
  await cli.inProcess('topics create numbers');
  await cli.inProcess('produce numbers -K :', 'a:1\nb:2\n');
});

describe('millrace run', () => {
  it('runs a file to the end of the existing records, and says what it does', async () => {
    file('double.ts', doubling());
    const first = await cli.run('run double.ts --exit-on-end --json');
    expect(first.code).toBe(0);
    expect(first.err).toMatch(/^millrace +\d+\.\d+\.\d+ on Node \d+/);
    expect(first.err).toContain('application  double (1 stage, 0 stores)');
    expect(first.err).toMatch(/^log +folder .*\.millrace$/m);
    expect(first.err).toMatch(/^guarantee +exactly once$/m);
    expect(first.err).toContain('2 records in, 2 out');
    expect(lines(first.out)).toMatchObject([{ applicationId: 'double', state: 'stopped', recordsIn: 2 }]);
    expect(await values()).toBe('2 4');
    // It goes on where it was.
    expect(await cli.run('run double.ts -e -q')).toEqual({ code: 0, out: '', err: '' });
    expect(await values()).toBe('2 4');
  });

  it('takes options from the file, the environment and flags, in that order', async () => {
    file('double.ts', doubling('value * 2', "export const options = { applicationId: 'own', path: 'elsewhere' };"));
    const elsewhere = await cli.run('run double.ts -e');
    expect(elsewhere.err).toContain('application  own');
    expect(elsewhere.err).toMatch(/^log +folder .*elsewhere$/m);
    const env = await cli.start(['run', 'double.ts', '-e'], { MILLRACE_PATH: join(cli.folder, '.millrace') }).ended;
    expect(env.err).toMatch(/^log +folder .*\.millrace$/m);
    const flags = await cli.run('run double.ts -e --path .millrace --app third');
    expect(flags.err).toContain('application  third');
    expect(await values()).toBe('2 4 2 4');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('finishes and commits on %s, and ends with 0', async (signal) => {
    file('double.ts', doubling());
    const running = cli.start(['run', 'double.ts']);
    await told(running, 'ready after');
    running.child.kill(signal);
    expect(await running.ended).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('stopped: ') as string,
    });
    expect(await values()).toBe('2 4');
  });

  it.each([
    ['a second signal ends it at once', "stopDeadline: '1m'", ['SIGINT', 'SIGTERM'], 143, ''],
    ['a stop that takes too long is not clean', "stopDeadline: '200ms'", ['SIGINT'], 130, 'not be stopped cleanly'],
  ] as const)('%s', async (_, deadline, signals, code, message) => {
    file(
      'stuck.ts',
      doubling(
        'value',
        `import { mapAsync } from 'millrace';
         export const options = { ${deadline} };
         export const stuck = numbers.pipe(
           mapAsync(() => { console.error('called'); return new Promise<number>(() => setInterval(() => undefined, 1e6)); }, {}),
           to(topic('never', { key: string(), value: json<number>() })),
         );`,
      ),
    );
    const running = cli.start(['run', 'stuck.ts', 'stuck']);
    await told(running, 'called');
    for (const signal of signals) {
      running.child.kill(signal);
      await told(running, 'stopping:');
    }
    expect(await running.ended).toMatchObject({ code, err: expect.stringContaining(message) as string });
  });

  it('stops after a while where it is told to, with 124', async () => {
    file('double.ts', doubling());
    const result = await cli.run('run double.ts --timeout 1500ms');
    expect(result).toMatchObject({ code: 124, err: expect.stringContaining('stopped after 1500ms') as string });
    expect(await values()).toBe('2 4');
  });

  it('says what it waits for, also where the file wants no log', { timeout: 60_000 }, async () => {
    file('double.ts', doubling(undefined, 'export const options = { logger: false };'));
    const { code, err } = await cli.run('run double.ts --timeout 10s -b 127.0.0.1:1');
    expect(code).toBe(124);
    expect(err).toMatch(/^not ready after 8 s, still trying; it waits for: opening the log: .*127\.0\.0\.1:1/m);
  });

  it('ends with the error of a record, and leaves what was before it', async () => {
    file(
      'fails.ts',
      doubling('{ if (value === 2) throw new Error("no twos"); return value; }'.replace(/^/, '(() => ') + ')()'),
    );
    const { code, err } = await cli.run('run fails.ts -e -q');
    expect(code).toBe(1);
    expect(err).toContain('ERR_USER_CODE');
    // Told once, by the command and not by the log as well.
    expect(err.match(/no twos/g)).toHaveLength(1);
  });

  it.each([
    ['run nope.ts', 2, 'there is no file nope.ts'],
    ['run double.ts --ap x', 2, 'Did you mean --app?'],
    ['run double.ts --timeout 5', 2, 'ERR_DURATION'],
    ['run double.ts --idle soon -e', 2, 'ERR_DURATION'],
    ['run double.ts --dashboard x', 2, '--dashboard is x'],
    ['run double.ts --close-windows', 2, "openWindows is given without until: 'end'"],
    ['run double.ts --app a/b', 2, 'ERR_APPLICATION_ID'],
    ['run double.ts --guarantee at-least-once', 2, '--guarantee is given without brokers'],
    ['run double.ts --state-dir s', 2, 'stateDir is given without brokers'],
    ['run double.ts --timeout 2s -b 127.0.0.1:1', 124, '127.0.0.1:1'],
    ['run throws.ts', 1, 'throws.ts:2:'],
  ])('%s: ends with %i', { timeout: 60_000 }, async (args, code, message) => {
    file('double.ts', doubling());
    file('throws.ts', '\nthrow new Error("no settings");\n');
    const result = await cli.run(args);
    expect({ code: result.code, out: result.out }, result.err).toEqual({ code, out: '' });
    expect(result.err).toContain(message);
  });
});

it('a file that awaits what never happens is said to', async () => {
  file('never.ts', `await new Promise(() => {});\n${doubling('value * 2')}`);
  const message = 'never.ts cannot be loaded: it awaits something that never happens\n';
  for (const args of ['graph never.ts', 'run never.ts', 'consume numbers --with never.ts']) {
    expect(await cli.run(args), args).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(message) as string,
    });
  }
});

describe('millrace dev', () => {
  it('runs again after a change, shows what is wrong with a file, and ends with Ctrl-C', async () => {
    file('factor.ts', 'export const factor = 2;');
    file('double.ts', `import { factor } from './factor.ts';\n${doubling('value * factor')}`);
    const running = cli.start(['dev', 'double.ts', '--dashboard', '0']);
    await told(running, 'ready after');
    await told(running, 'dashboard    http://localhost:');
    file('factor.ts', 'export const factor = ;');
    await told(running, 'factor.ts has changed');
    await told(running, 'cannot be loaded');
    await told(running, 'the next change starts it again');
    // What the old one had read it has finished and committed.
    expect(await values()).toBe('2 4');
    file('factor.ts', 'export const factor = 10;');
    await told(running, 'ready after', 2);
    await cli.inProcess('produce numbers -K :', 'c:3\n');
    // What stopped was replaced: Ctrl-C has nothing to do with it.
    expect(running.said.err).not.toContain('stopping:');
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(running.said.err.match(/Ctrl-C again ends it at once/g)).toHaveLength(1);
    await cli.run('run double.ts -e -q');
    expect(await values()).toBe('2 4 30');
  });

  it('gives up a version that never finishes loading, for the next one and at Ctrl-C', async () => {
    file('double.ts', `while (true) {}\n${doubling('value * 2')}`);
    const running = cli.start(['dev', 'double.ts']);
    await told(running, 'is still loading after 5 s');
    file('double.ts', `setInterval(() => {}, 1000); await new Promise(() => {});\n${doubling('value * 2')}`);
    await told(running, 'is still loading after 5 s', 2);
    file('double.ts', doubling('value * 2'));
    await told(running, 'ready after');
    file('double.ts', `while (true) {}\n${doubling('value * 3')}`);
    await told(running, 'is still loading after 5 s', 3);
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await values()).toBe('2 4');
  });

  it.each([
    ['dev', 2, "missing required argument 'file'"],
    ['dev double.ts --exit-on-end', 2, 'unknown option'],
  ])('%s: ends with %i', async (args, code, message) => {
    expect(await cli.run(args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) as string });
  });
});
