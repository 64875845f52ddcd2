import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { lines, told, useCli } from './processes.ts';

const cli = useCli();
const file = (name: string, text: string): void => writeFileSync(join(cli.folder, name), text);

describe('millrace config show', () => {
  it('shows each value with its source, and no secret', async () => {
    file('package.json', '{}');
    file('millrace.config.json', '{ "path": "data", "brokers": ["a:1", "b:2"], "saslUser": "ada", "tls": true }');
    const env = { MILLRACE_SASL_PASSWORD: 'geheim', KAFKA_BROKERS: 'c:3' };
    const shown = await cli.start(['config', 'show', '--sasl', 'plain'], env).ended;
    expect(shown.code).toBe(0);
    expect(shown.out + shown.err).not.toContain('geheim');
    const rows = lines(shown.out) as { setting: string; value: string; source: string }[];
    const of = (name: string): unknown => rows.find(({ setting }) => setting === name);
    const config = expect.stringContaining('millrace.config.json') as string;
    expect(of('path')).toEqual({ setting: 'path', value: join(cli.folder, 'data'), source: config });
    expect(of('brokers')).toEqual({ setting: 'brokers', value: 'c:3', source: 'KAFKA_BROKERS' });
    expect(of('sasl')).toEqual({ setting: 'sasl', value: 'plain', source: '--sasl' });
    expect(of('saslUser')).toEqual({ setting: 'saslUser', value: 'ada', source: config });
    expect(of('saslPassword')).toEqual({ setting: 'saslPassword', value: '***', source: 'MILLRACE_SASL_PASSWORD' });
    expect(of('tlsCa')).toEqual({ setting: 'tlsCa', value: null, source: null });
  });

  it('is what commands use: the file for the folder below it, flags and environment before it', async () => {
    file('package.json', '{}');
    file('millrace.config.json', '{ "path": "data" }');
    await cli.run('topics create here');
    expect(lines((await cli.run(['topics', 'ls', '--path', join(cli.folder, 'data')])).out)).toHaveLength(1);
    expect((await cli.run('topics ls')).out).toContain('here');
    expect((await cli.run('topics ls --path other')).err).toContain('ERR_NO_LOG');
    const env = await cli.start(['topics', 'ls'], { MILLRACE_PATH: 'other' }).ended;
    expect(env.err).toContain('ERR_NO_LOG');
    file('millrace.config.json', '{ "brokers": "127.0.0.1:1" }');
    expect((await cli.run('topics ls --path data')).out).toContain('here');
    expect((await cli.start(['topics', 'ls'], { MILLRACE_PATH: 'data' }).ended).out).toContain('here');
    expect((await cli.run('topics ls')).err).toContain('ECONNREFUSED');
  });

  it.each([
    ['{ "pth": "x" }', 'there is no setting pth – did you mean path?'],
    ['{ "__proto__": { "path": "x" } }', 'there is no setting __proto__'],
    ['{ "saslPassword": "geheim" }', 'saslPassword must not be in it'],
    ['{ "path": 3 }', 'path is 3'],
    ['[]', 'it is not an object'],
    ['{', 'it is not JSON'],
  ])('refuses %s', async (text, message) => {
    file('millrace.config.json', text);
    const { code, err } = await cli.run('topics ls');
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(err).not.toContain('geheim');
  });
});

describe('millrace doctor', () => {
  it('looks around, and ends with 0 where nothing is wrong', async () => {
    cli.project();
    const { code, out } = await cli.run('doctor');
    const found = lines(out) as { check: string; state: string }[];
    expect(found.map(({ check }) => check)).toEqual(['node', 'rxjs', 'store', 'disk', 'log']);
    expect(found.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(code).toBe(0);
  });

  it('ends with 3 where brokers do not answer', async () => {
    const { code, out } = await cli.run('doctor -b 127.0.0.1:1');
    expect(code).toBe(3);
    expect(lines(out).at(-1)).toMatchObject({
      check: 'log',
      state: 'problem',
      found: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});

describe('millrace completion', () => {
  /** Completes a line in a real shell. */
  const complete = (words: readonly string[]): string[] => {
    const script = join(cli.folder, 'completion.bash');
    const list = words.map((word) => `'${word}'`).join(' ');
    const program = `source '${script}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', program]).toString().trim().split('\n');
  };

  it('completes commands and options in bash', async () => {
    file('completion.bash', (await cli.run('completion bash')).out);
    expect(complete(['millrace', 'to'])).toEqual(['topics']);
    expect(complete(['millrace', 'topics', 'de'])).toEqual(['describe', 'delete']);
    expect(complete(['millrace', 'consume', 'clicks', '--from-b'])).toEqual(['--from-beginning']);
    expect(complete(['millrace', 'groups', 'reset', 'g', 't', '--exe'])).toEqual(['--execute']);
    expect(complete(['millrace', '--path', 'x', 'state', 'v'])).toEqual(['verify']);
    expect(complete(['millrace', 'graph', ''])).toContain('--format');
  });

  it.each(['zsh', 'fish'])('prints a script for %s', async (shell) => {
    const { code, err, out } = await cli.run(`completion ${shell}`);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('from-beginning');
  });

  it('knows no other shell', async () => {
    expect(await cli.run('completion tcsh')).toMatchObject({ code: 2, out: '' });
  });
});

describe('--with', () => {
  beforeEach(async () => {
    cli.project();
    file(
      'orders.ts',
      `
      import { int64, msgpack, topic } from 'millrace';
      interface Order { readonly total: number }
      export const orders = topic('orders', { key: int64(), value: msgpack<Order>() });
    `,
    );
    await cli.inProcess('topics create orders');
  });

  it('encodes and decodes with the serdes of a file', async () => {
    const written = await cli.run('produce orders -K = --with orders.ts', '9007199254740993={"total":1}\n');
    expect(written).toMatchObject({ code: 0 });
    expect(lines((await cli.run('consume orders -e --with orders.ts')).out)).toMatchObject([
      { key: '9007199254740993', value: { total: 1 } },
    ]);
  });

  it.each([
    ['consume orders -e --with nope.ts', 2, 'there is no file'],
    ['consume order -e --with orders.ts', 2, 'did you mean orders?'],
  ])('%s: ends with %i', async (args, code, message) => {
    await cli.inProcess('topics create order');
    expect(await cli.run(args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) as string });
  });
});

describe('millrace topics delete', () => {
  it('says who uses the topic', async () => {
    cli.project();
    file(
      'copy.ts',
      `
      import { bytes, nullable, to, topic } from 'millrace';
      const options = { key: nullable(bytes()), value: bytes() };
      export default topic('numbers', options).pipe(to(topic('copy', options)));
    `,
    );
    await cli.inProcess('topics create numbers');
    await cli.inProcess('produce numbers', '1\n');
    const running = cli.start(['run', 'copy.ts']);
    await told(running, 'ready after');
    await cli.run('consume copy -n 1');
    expect((await cli.run('topics delete numbers')).err).toContain('warning: application or group copy reads it now');
    running.child.kill('SIGINT');
    await running.ended;
    expect((await cli.run('topics delete numbers')).err).toContain('warning: application or group copy has read it');
  });
});
