import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', 'kit.test.mjs'], {
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
});
