import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { meetsTarget, type Row, rowOf } from '../../bench/shared/row.ts';
import { tableLines } from '../../bench/shared/table.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bench = (...options: string[]): Promise<{ stdout: string }> =>
  run(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...options], {
    cwd: root,
    env: { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.build.json' },
  });

interface Results {
  readonly machine: Record<string, unknown>;
  readonly quick: boolean;
  readonly results: readonly { readonly benchmark: string; readonly rows: readonly Row[] }[];
}

describe('npm run bench', () => {
  it('prints a table and writes the same figures as JSON', async () => {
    const file = join(folder, 'figures.json');
    const { stdout } = await bench('--quick', '--only', 'driver', '--json', file);
    const { machine, quick, results } = JSON.parse(readFileSync(file, 'utf8')) as Results;
    expect(Object.keys(machine)).toEqual(['cpu', 'cores', 'memoryGiB', 'platform', 'node', 'load', 'date']);
    expect(quick).toBe(true);
    expect(results.map(({ benchmark }) => benchmark)).toEqual(['driver']);
    const rows = results.flatMap((result) => result.rows);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.min, row.name).toBeGreaterThan(0);
      expect(row.median, row.name).toBeGreaterThanOrEqual(row.min);
      expect(row.max, row.name).toBeGreaterThanOrEqual(row.median);
    }
    for (const line of tableLines(rows)) expect(stdout).toContain(line);
    expect(stdout).toContain(`of ${rows.filter(({ target }) => target !== undefined).length} targets met`);
  });

  it('says which benchmarks there are when it is asked for another', async () => {
    await expect(bench('--only', 'speed')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no benchmark speed') as unknown,
    });
  });

  it.each(['--records', '--runs'])('takes whole numbers only as %s', async (option) => {
    await expect(bench(option, 'abc')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${option} takes a whole number`) as unknown,
    });
  });
});

describe('rows', () => {
  it('hold the median and the spread', () => {
    expect(rowOf('a', 'ms', [30, 10, 20], { higherIsBetter: false, target: 25 })).toEqual({
      name: 'a',
      unit: 'ms',
      median: 20,
      min: 10,
      max: 30,
      target: 25,
      higherIsBetter: false,
    });
  });

  it('meet targets upwards and downwards, and show it', () => {
    const rate = rowOf('rate', 'records/s', [2_000_000], { target: 3_000_000 });
    const time = rowOf('time', 'ms', [2], { target: 3, higherIsBetter: false });
    const free = rowOf('free', 'ms', [2]);
    expect([rate, time, free].map(meetsTarget)).toEqual([false, true, undefined]);
    expect(tableLines([rate, time, free]).slice(1)).toEqual([
      'rate  records/s  2,000,000  2,000,000  2,000,000  ≥ 3,000,000  MISSED',
      'time  ms             2.000      2.000      2.000      ≤ 3.000  met',
      'free  ms             2.000      2.000      2.000',
    ]);
  });
});
