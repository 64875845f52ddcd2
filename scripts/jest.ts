/**
 * Runs a test file that uses the testing kit with jest, which is fetched from the registry: against the packed package in a
 * fresh folder. The same file runs with node:test among the tests of the package, and with vitest everywhere. Build first.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shown, userSuite } from '../test/package/runner-suite.ts';
import { install, manifest, pack, remove } from '../test/package/tarball.ts';

const packed = pack();
const user = install(packed.tarball);
try {
  writeFileSync(join(user, 'kit.test.mjs'), userSuite("import { test } from '@jest/globals';"));
  writeFileSync(
    join(user, 'package.json'),
    JSON.stringify({ private: true, type: 'module', jest: { testMatch: ['**/*.test.mjs'], transform: {} } }),
  );
  // In a folder of its own: npm would remove what it has not installed itself.
  const tools = install(packed.tarball, Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
  const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', 'jest@30'], {
    cwd: tools,
    encoding: 'utf8',
  });
  if (npm.status !== 0) throw new Error(`jest cannot be installed: ${npm.stderr}`);
  const jest = join(tools, 'node_modules/jest/bin/jest.js');
  const { status, stderr } = spawnSync(process.execPath, ['--experimental-vm-modules', jest, '--rootDir', user], {
    cwd: user,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  remove(tools);
  const missing = shown.filter((text) => !stderr.includes(text));
  if (status !== 1 || !/Tests:\s+2 failed, 2 passed, 4 total/.test(stderr) || missing.length > 0) {
    throw new Error(`jest shows something else; missing: ${missing.join(' | ')}\n${stderr}`);
  }
  console.log(
    stderr
      .split('\n')
      .filter((line) => /^Tests:|✓|✕/.test(line))
      .join('\n'),
  );
  console.log('2 hold and 2 do not, as they should; jest shows why');
} finally {
  remove(user);
  remove(packed.folder);
}
