import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect, string, topic } from '../../src/index.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'exit-'));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

const source = topic('source', { key: string(), value: string(), partitions: 1 });
const script = fileURLToPath(new URL('exit-child.ts', import.meta.url));

// LMDB's thread waits for the main thread in the middle of a transaction, and `process.exit` for that thread. Without the guard
// three of four such processes never ended.
it.each([
  [7, 'SIGKILL'],
  [130, 'SIGINT'],
  [143, 'SIGTERM'],
] as const)(
  'a busy process that exits with %i ends, and leaves the folder to others',
  async (wanted, signalled) => {
    for (let round = 0; round < 3; round += 1) {
      const args = ['--import', 'tsx', script, path, String(wanted)];
      const child = spawn(process.execPath, args, { stdio: 'ignore' });
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      expect([wanted, signalled]).toContain(code ?? signal);
      const client = await connect({ path });
      let seen = 0;
      await client.records(source, { from: 'earliest', until: 'end' }).forEach(() => void (seen += 1));
      expect(seen).toBeGreaterThanOrEqual(50);
      await client.close();
    }
  },
  60_000,
);

it('a busy process that ends with an error says which', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, path, 'throw'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect([1, 'SIGKILL']).toContain(code ?? signal);
    expect(said).toContain('Error: nobody catches this');
  }
});

it.each(['nested', 'throwing'])(
  'a busy process ends that has an exit listener: %s',
  { timeout: 60_000 },
  async (listener) => {
    for (let round = 0; round < 3; round += 1) {
      const args = ['--import', 'tsx', script, path, '3', listener];
      const [code, signal] = (await once(spawn(process.execPath, args, { stdio: 'ignore' }), 'exit')) as unknown[];
      expect([3, 5, 7, 'SIGKILL']).toContain(code ?? signal);
    }
  },
);

it('a busy process ends whose standard error nobody reads any more', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', script, path, '3'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.destroy();
    const [code, signal] = (await once(child, 'exit')) as unknown[];
    expect([3, 'SIGKILL']).toContain(code ?? signal);
  }
});
