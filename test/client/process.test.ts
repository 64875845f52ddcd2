import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../contract/support.ts';

const INDEX = new URL('../../src/index.ts', import.meta.url).href;
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

describe('a process with a client', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-process-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Runs a program in a process of its own, to its end unless `stop` says when to kill it. */
  async function run(
    program: string,
    stop?: (printed: string) => boolean,
  ): Promise<{ code: number | null; printed: string }> {
    const source = `
      import { connect, json, memoryTransport, topic } from ${JSON.stringify(INDEX)};
      const numbers = topic('numbers', { value: json(), partitions: 1 });
      ${program}
    `;
    const child = spawn(process.execPath, ['--import', TSX, '--input-type=module', '-e', source], {
      cwd: folder,
      env: { ...process.env, TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../tsconfig.json', import.meta.url)) },
    });
    let printed = '';
    let code: number | null | undefined;
    child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
    child.stderr.on('data', (data: Buffer) => (printed += data.toString()));
    child.on('exit', (status) => (code = status));
    try {
      await until('the process', () => code !== undefined || (stop?.(printed) ?? false), 60_000);
      return { code: code ?? null, printed };
    } finally {
      child.kill('SIGKILL');
    }
  }

  for (const open of ['memoryTransport()', 'undefined']) {
    const location = open === 'undefined' ? "{ path: 'data' }" : `{ transport: ${open} }`;
    const log = open === 'undefined' ? 'embedded' : 'memory';

    it(`ends by itself once everything is closed (${log})`, async () => {
      const { code, printed } = await run(`
        const client = await connect(${location});
        const seen = client.records(numbers).subscribe();
        const { offset } = await client.publish(numbers, { value: 1 });
        seen.unsubscribe();
        await client.close();
        console.log('offset', offset);
      `);
      expect(printed).toBe('offset 0\n');
      expect(code).toBe(0);
    });

    it(`ends by itself when nothing is under way, also if the client was not closed (${log})`, async () => {
      const { code, printed } = await run(`
        const client = await connect(${location});
        client.records(numbers).subscribe().unsubscribe();
        const { offset } = await client.publish(numbers, { value: 1 });
        console.log('offset', offset);
      `);
      expect(printed).toBe('offset 0\n');
      expect(code).toBe(0);
    });

    it(`lives as long as something is being published (${log})`, async () => {
      const { code, printed } = await run(`
        const client = await connect({ ...${location}, batch: { linger: '200ms' } });
        await Promise.all([1, 2].map((value) => client.publish(numbers, { value })));
        console.log('acknowledged');
        await client.close();
      `);
      expect(printed).toBe('acknowledged\n');
      expect(code).toBe(0);
    });

    it(`lives as long as a subscription is open (${log})`, async () => {
      const program = `
        const client = await connect(${location});
        client.records(numbers).subscribe(() => undefined);
        setTimeout(() => console.log('alive'), 300).unref();
      `;
      const { code, printed } = await run(program, (text) => text.includes('alive'));
      expect(printed).toBe('alive\n');
      expect(code).toBeNull();
    });
  }
});
