import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shown, userSuite } from './runner-suite.ts';
import { install, pack, remove } from './tarball.ts';

let packed: ReturnType<typeof pack>;
let user: string;

beforeAll(() => {
  packed = pack();
  user = install(packed.tarball);
});
afterAll(() => {
  remove(packed.folder);
  remove(user);
});

test('what does not hold in the testing kit is an ordinary failure of node:test', () => {
  writeFileSync(join(user, 'kit.test.mjs'), userSuite("import test from 'node:test';"));
  fails('kit.test.mjs');
});

test('the testing kit works when it is compiled to CommonJS, as jest does without further settings', async () => {
  // A jest of a CommonJS project compiles the package file by file: no await at the top, no import.meta.
  const built = await build({
    stdin: { contents: userSuite("import test from 'node:test';"), resolveDir: user },
    absWorkingDir: user,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    splitting: false,
    external: ['fast-check', 'lmdb', 'kafkajs', '@msgpack/msgpack', '@bokuweb/zstd-wasm', 'snappyjs'],
    outfile: 'kit.test.cjs',
    logLevel: 'silent',
  });
  expect(built.warnings.map(({ text }) => text).filter((text) => !text.includes('import.meta'))).toEqual([]);
  fails('kit.test.cjs');
});

/** Runs the suite: two of its tests hold and two fail, as they should. */
function fails(file: string): void {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
    cwd: user,
    encoding: 'utf8',
    timeout: 60_000,
    env,
  });
  expect(status, stdout).toBe(1);
  expect(stdout).toMatch(/^# pass 2$/m);
  expect(stdout).toMatch(/^# fail 2$/m);
  for (const text of shown) expect(stdout).toContain(text);
  expect(stdout).toContain('ERR_ASSERTION');
}
