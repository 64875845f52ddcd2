import { expect, inject, it } from 'vitest';
import { runExample, temporaryFolder } from '../examples/run-example.ts';

/** What the demo prints about the data: everything from the first picture to the verdict. */
function reportOf({ code, stdout }: { readonly code: number | null; readonly stdout: string }): string {
  expect(code, stdout).toBe(0);
  expect(stdout).toContain('✓ 20,000 flights, 17,473 airport-hours and 90 days agree');
  return stdout.slice(stdout.indexOf('The worst day'), stdout.indexOf('agree with'));
}

it('the flights demo prints the same report on Kafka as on the embedded log', async () => {
  const folder = await temporaryFolder();
  try {
    const embedded = reportOf(await runExample('flights', ['--path', folder.path]));
    expect(reportOf(await runExample('flights', ['--brokers', inject('brokers').join(',')]))).toBe(embedded);
  } finally {
    await folder.remove();
  }
});
