import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readFlightsReport } from './flights-report.ts';
import { runExample, startExample, temporaryFolder } from './run-example.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

/** What the demo prints about the data: everything from the first picture to the verdict. */
function report(stdout: string): string {
  return stdout.slice(stdout.indexOf('The worst day'), stdout.indexOf('agree with'));
}

describe('examples/flights', () => {
  test('prints the report, agrees with the direct computation, and a second run has nothing to do', async () => {
    const first = await runExample('flights', ['--path', folder.path]);
    expect(first.stderr).not.toMatch(/error|warning/i);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain('published 20,000 flights\n');
    expect(first.stdout).toContain('✓ 20,000 flights, 17,473 airport-hours and 90 days agree');
    expect(first.stdout).toContain("ORD  Chicago O'Hare International");
    expect(first.stdout).toContain('Sunday, 25 February 2001');
    expect(first.stdout).not.toContain('\u001b[');
    expect(Math.max(...first.stdout.split('\n').map((line) => [...line].length))).toBeLessThanOrEqual(100);

    const second = await runExample('flights', ['--path', folder.path]);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('nothing new: continued at offset 20,000');
    expect(report(second.stdout)).toBe(report(first.stdout));
  });

  test('gives the same report when the flights come in four partitions, and none is late', async () => {
    const one = ['--data', 'flights-5k.json', '--path', join(folder.path, 'one')];
    const four = ['--data', 'flights-5k.json', '--path', join(folder.path, 'four'), '--partitions', '4'];
    const [first, second] = [await runExample('flights', one), await runExample('flights', four)];
    expect([first.code, second.code], `${first.stdout}${second.stdout}`).toEqual([0, 0]);
    // All flights are in the rows, so none was late.
    expect(second.stdout).toContain('✓ 5,000 flights');
    expect(second.stderr).toMatch(/late 0 [^\n]*\n$/);
    expect(report(second.stdout)).toBe(report(first.stdout));
    const [left, right] = [
      await readFlightsReport(join(folder.path, 'one')),
      await readFlightsReport(join(folder.path, 'four')),
    ];
    expect(right).toEqual(left);
    const again = await runExample('flights', four);
    expect(again.stdout).toContain('nothing new: continued at offset 5,000');
  });

  test('stops cleanly on Ctrl-C, and the next run continues to the same report', async () => {
    const args = ['--path', folder.path, '--data', 'flights-20k.json'];
    const interrupted = startExample('flights', args);
    await interrupted.printed('published');
    interrupted.child.kill('SIGINT');
    expect(await interrupted.finished).toMatchObject({ code: 0, signal: null });

    const next = await runExample('flights', args);
    expect(next.code).toBe(0);
    expect(next.stdout).toContain('✓ 20,000 flights, 17,473 airport-hours and 90 days agree');
    expect((await readFlightsReport(folder.path)).published).toBe(20_000);
  });

  test('refuses a log that was filled from another file', async () => {
    await runExample('flights', ['--path', folder.path, '--data', 'flights-2k.json']);
    const other = await runExample('flights', ['--path', folder.path, '--data', 'flights-5k.json']);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('this log holds other flights than flights-5k.json: take --fresh or another --path');
    const fresh = await runExample('flights', ['--path', folder.path, '--data', 'flights-5k.json', '--fresh']);
    expect(fresh.code).toBe(0);
  });

  test('fits a narrow terminal and draws in colour when asked', async () => {
    const args = ['--path', folder.path, '--data', 'flights-2k.json'];
    const { code, stdout } = await runExample('flights', args, { COLUMNS: '60', NO_COLOR: '', FORCE_COLOR: '1' });
    expect(code).toBe(0);
    expect(stdout).toContain('\u001b[48;5;');
  });

  test('--help says what can be asked for; an unknown option is refused', async () => {
    const help = await runExample('flights', ['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const option of ['--data', '--full', '--partitions', '--path', '--fresh'])
      expect(help.stdout).toContain(option);
    const wrong = await runExample('flights', ['--dta', 'x']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--dta');
    const kept = await runExample('flights', ['--fresh', '--path', 'examples']);
    expect(kept).toMatchObject({ code: 2 });
    expect(kept.stderr).toContain('examples holds no log; it was left alone');
    const unknown = await runExample('flights', ['--data', 'trains.json']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('trains.json');
  });
});
