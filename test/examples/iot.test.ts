import { afterEach, beforeEach, expect, test } from 'vitest';
import { runExample, startExample, temporaryFolder } from './run-example.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const VERDICT = '✓ 96 months, 135 alerts, 86 notices of outages and 660 of rises agree';

test('examples/iot agrees with its direct computation, and a second run has nothing to do', async () => {
  const first = await runExample('iot', ['--path', folder.path]);
  expect(first.stderr).not.toMatch(/error|warning/i);
  expect(`${first.stdout}${first.stderr}`).toContain(VERDICT);
  expect(first.code).toBe(0);

  const second = await runExample('iot', ['--path', folder.path]);
  expect(second.code).toBe(0);
  expect(second.stdout).toContain(VERDICT);
  expect(second.stdout).toContain('nothing new this time');
});

test('examples/iot killed on the way continues to the same result', async () => {
  const run = startExample('iot', ['--path', folder.path]);
  await run.printed('published');
  run.child.kill('SIGKILL');
  await run.finished;
  const next = await runExample('iot', ['--path', folder.path]);
  expect(`${next.stdout}${next.stderr}`).toContain(VERDICT);
  expect(next.code).toBe(0);
});
