import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const child = fileURLToPath(new URL('driver-memory.child.ts', import.meta.url));

it('is collected when nobody has it any more, also in a loop that never waits', async () => {
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const args = ['--expose-gc', '--import', 'tsx', child];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  const keptKb = new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  );
  expect([...keptKb.keys()]).toEqual(['windows', 'stages', 'global tables']);
  // One driver takes 50 KB and more. What remains are traces of the compiler's.
  for (const [name, kb] of keptKb) expect(Number(kb), `KB that each driver keeps: ${name}`).toBeLessThan(15);
});
