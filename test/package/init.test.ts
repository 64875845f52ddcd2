import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pack, remove, root } from './tarball.ts';

const packed = pack();
const folder = mkdtempSync(join(tmpdir(), 'millrace-init-'));
const shop = join(folder, 'shop');
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MILLRACE_|KAFKA_|npm_)/.test(name)));
const run = (at: string, command: string, ...args: string[]) =>
  spawnSync(command, args, { cwd: at, env, encoding: 'utf8', timeout: 100_000 });

beforeAll(() => {
  const made = run(folder, process.execPath, `${root}dist/cli/main.js`, 'init', 'shop', '--package', packed.tarball);
  if (made.status !== 0) throw new Error(`the project was not made: ${made.stderr}`);
}, 120_000);
afterAll(() => {
  remove(packed.folder);
  remove(folder);
});

/** What a process has written when it has written a text. */
async function written({ stdout }: ChildProcess, text: RegExp): Promise<string> {
  let all = '';
  while (!text.test(all)) all += String((await once(stdout!, 'data'))[0]);
  return all;
}

describe('a project made by millrace init, from the tarball', () => {
  test('its test passes', () => {
    const tested = run(shop, 'npm', 'test');
    expect(tested.status, tested.stdout + tested.stderr).toBe(0);
    expect(tested.stdout).toMatch(/pass 2/);
  });

  test('its start shows what comes in, ends with Ctrl-C, and leaves what commands show', {
    timeout: 120_000,
  }, async () => {
    const child = spawn('npm', ['start'], { cwd: shop, env, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    const ended = once(child, 'close');
    await written(child, /\d+ orders +\d+\.\d\d/);
    // As a terminal does: to all processes of the group.
    process.kill(-(child.pid as number), 'SIGINT');
    await ended;
    const state = run(shop, 'npx', 'millrace', 'state', 'ls', 'sales');
    expect(state.stderr).toContain('application sales is not running');
    expect(JSON.parse(state.stdout)).toMatchObject({ store: 'sales' });
    const consumed = run(shop, 'npx', 'millrace', 'consume', 'sales', '-n', '1', '--with', 'src/sales.ts');
    expect(JSON.parse(consumed.stdout)).toMatchObject({
      topic: 'sales',
      value: { orders: expect.any(Number) as number },
    });
  });

  test('its types are right, and a slip is found', () => {
    const right = run(shop, 'npm', 'run', '--silent', 'check');
    expect(right.status, right.stdout).toBe(0);
    writeFileSync(join(shop, 'src/slip.ts'), "import { topic } from 'millrace';\ntopic('a', { valu: 1 });\n");
    const wrong = run(shop, 'npm', 'run', '--silent', 'check');
    rmSync(join(shop, 'src/slip.ts'));
    expect(wrong.stdout).toMatch(/slip\.ts.*error[^]*Did you mean to write 'value'/);
  });

  test('its pipeline is drawn', () => {
    expect(run(shop, 'npm', 'run', '--silent', 'graph').stdout).toContain('windowBy(sales)  [store sales]');
  });
});
