import { spawnSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { failure, readAll } from '../contract/support.ts';
import { type Child, folder, startChild } from './children.ts';

const mounts: string[] = [];
afterEach(() => {
  for (const path of mounts.splice(0)) spawnSync('umount', [path]);
});

async function expectFull(child: Child): Promise<void> {
  expect(await child.exit(60_000), child.errors().slice(-2000)).toBe(0);
  const failures = child.lines.filter((line) => line.startsWith('failed '));
  expect(failures).toHaveLength(5);
  for (const line of failures) expect(line).toMatch(/^failed ERR_DISK_FULL no Cannot write/);
  expect(child.lines).toContain('unhandled 0');
}

async function records(path: string): Promise<number> {
  const transport = await embeddedTransport({ path })();
  const rows = await readAll(transport, 'events');
  await transport.close();
  return rows.length;
}

describe('a full disk', () => {
  it('refuses clearly at the limit that was set, and works again when records are removed', async () => {
    const path = join(await folder('limit'), 'log');
    const child = startChild('fill', [path, '6000000']);
    await expectFull(child);
    expect(Number(await child.line('acknowledged '))).toBeGreaterThan(50);
    expect(child.lines).toContain('works again');
    expect(await records(path)).toBe(10);
  });

  it('keeps what was acknowledged when the system refuses to write any further', async () => {
    const path = join(await folder('ulimit'), 'log');
    // Blocks of 512 bytes, as POSIX has it: about 4 MB.
    const child = startChild('fill', [path, '', 'hard'], 'ulimit -f 8000; exec "$@"');
    await expectFull(child);
    expect(await records(path)).toBe(Number(await child.line('acknowledged ')));
  });

  it('does the same on a small file system', async (context) => {
    const path = await folder('tmpfs');
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', path]);
    // Only root may mount; the two tests above need no rights.
    if (mounted.status !== 0)
      return context.annotate(`mount is not permitted here: ${mounted.stderr?.toString().trim()}`);
    mounts.push(path);
    const child = startChild('fill', [join(path, 'log')]);
    await expectFull(child);
    expect(child.lines).toContain('works again');
    expect(await records(join(path, 'log'))).toBe(10);
  });
});

describe('a folder without permission', () => {
  it('is refused with path and user when it is read-only', async (context) => {
    const path = await folder('read-only');
    if (process.getuid?.() === 0) {
      // Root may write anywhere but on a file system that is read-only.
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', path]);
      if (mounted.status !== 0) return context.annotate('running as root, and mount is not permitted here');
      mounts.push(path);
    } else {
      await mkdir(path, { recursive: true });
      await chmod(path, 0o555);
    }
    const error = await failure('ERR_STORE_PERMISSION', embeddedTransport({ path: join(path, 'log') })());
    expect(error.message).toContain(path);
    expect(error.message).toContain(`uid ${process.getuid?.()}`);
    await failure('ERR_STORE_PERMISSION', embeddedTransport({ path })());
  });
});
