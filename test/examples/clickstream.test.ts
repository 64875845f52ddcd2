import { afterEach, beforeEach, expect, test } from 'vitest';
import { runExample, startExample, temporaryFolder } from './run-example.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const VERDICT = '✓ 3,780 minutes and 2,532 visits of 90 people, a funnel of 5 steps, and 179 late clicks agree';

test('examples/clickstream agrees with its direct computation, and a second run has nothing to do', async () => {
  const first = await runExample('clickstream', ['--path', folder.path]);
  expect(first.stderr).not.toMatch(/error|warning/i);
  expect(`${first.stdout}${first.stderr}`).toContain(VERDICT);
  expect(first.code).toBe(0);

  const second = await runExample('clickstream', ['--path', folder.path]);
  expect(second.code).toBe(0);
  expect(second.stdout).toContain(VERDICT);
  expect(second.stdout).toContain('nothing new this time');
});

test('examples/clickstream killed on the way continues to the same result', async () => {
  const run = startExample('clickstream', ['--path', folder.path]);
  await run.printed('published');
  run.child.kill('SIGKILL');
  await run.finished;
  const next = await runExample('clickstream', ['--path', folder.path]);
  expect(`${next.stdout}${next.stderr}`).toContain(VERDICT);
  expect(next.code).toBe(0);
});
