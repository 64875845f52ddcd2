import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('is described by docs/command-line.md', { timeout: 30_000 }, () => {
  const script = fileURLToPath(new URL('../../scripts/command-line.ts', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
