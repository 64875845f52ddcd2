import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { embeddedTransport, localStores } from '../../src/transports/embedded/index.ts';
import { failure, until } from '../contract/support.ts';
import { folder, startChild } from './children.ts';

/** A pid namespace of its own, as a container has it. */
const CONTAINER = 'exec unshare --pid --fork --mount-proc --kill-child "$@"';

function permitted(context: TestContext): boolean {
  if (spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0) return true;
  void context.annotate('unshare is not permitted here');
  return false;
}

describe('two containers', () => {
  it('do not have one folder open, and one that was killed leaves nothing in the way', async (context) => {
    if (!permitted(context)) return;
    const path = join(await folder('container'), 'log');
    const other = startChild('publish', [path, 'a'], CONTAINER);
    await other.line('ack', 60_000);
    const error = await failure('ERR_STORE_LOCKED', embeddedTransport({ path })());
    expect(error.message).toMatch(/a process of another container \(pid \d+ there\) has .* open/);
    other.kill('SIGKILL');
    await other.exit();
    const transport = await until('the end of the container', () =>
      embeddedTransport({ path })().catch((reason: { code?: string }) => {
        if (reason.code !== 'ERR_STORE_LOCKED') throw reason;
        return undefined;
      }),
    );
    expect((await transport!.offsets('events', 'latest')).size).toBe(2);
    await transport!.close();
  });

  it('do not have one store open', async (context) => {
    if (!permitted(context)) return;
    const path = await folder('container-stores');
    const other = startChild('stores', [path], CONTAINER);
    await other.line('put 5', 60_000);
    const stores = await localStores(path)('app');
    expect((await readdir(join(path, 'app'))).sort()).toEqual(['0', '1']);
    expect(stores.list('app')).toEqual([]);
    await stores.close();
    other.kill('SIGKILL');
    await other.exit();
  });
});

describe('a folder of before', () => {
  it('is refused while an older version has it open, and taken over afterwards', async () => {
    const path = join(await folder('older'), 'log');
    const first = await embeddedTransport({ path })();
    await first.topics.create('events');
    await first.close();
    const marker = join(path, 'millrace.json');
    await writeFile(marker, '{"millrace":"embedded log","format":1}\n');
    // What an older version leaves while it lives: no word about the gate.
    const other = startChild('follow', [join(await folder('elsewhere'), 'log')]);
    await other.line('ready', 60_000);
    const stat = await readFile(`/proc/${other.pid}/stat`, 'latin1').catch(() => '');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    const old = join(path, 'runs', `${other.pid}-${startTime}.json`);
    const { bootId, namespace } = await identity();
    await writeFile(
      old,
      JSON.stringify({ pid: other.pid, bootId, namespace, startTime, phase: 'open', transaction: 0 }),
    );
    const error = await failure('ERR_STORE_LOCKED', embeddedTransport({ path })());
    expect(error.message).toContain(`process ${other.pid} has ${path} open with an older version`);
    expect(await readFile(marker, 'utf8')).toContain('"format":1');
    other.kill('SIGKILL');
    await other.exit();
    await rm(old, { force: true });
    const second = await embeddedTransport({ path })();
    expect(await second.topics.list()).toEqual(['events']);
    await second.close();
    expect(await readFile(marker, 'utf8')).toContain('"format":2');
  });
});

async function identity(): Promise<{ bootId: string; namespace: string }> {
  const { currentProcess } = await import('../../src/transports/embedded/process-identity.ts');
  return currentProcess();
}
