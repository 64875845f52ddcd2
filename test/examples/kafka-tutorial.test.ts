import { afterEach, beforeEach, expect, test } from 'vitest';
import { runExample, temporaryFolder } from './run-example.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('examples/kafka-tutorial finds what it should, also when it is run again', async () => {
  for (let round = 0; round < 2; round++) {
    const { code, stderr, stdout } = await runExample('kafka-tutorial', ['--path', folder.path]);
    expect(stderr).toBe('');
    expect(stdout).toContain('✓ 9 steps found what they should');
    expect(code).toBe(0);
  }
});
