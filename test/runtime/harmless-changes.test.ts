import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryTransport, type OpenTransport } from 'millrace';
import { describe, it, onTestFinished } from 'vitest';
import { withoutState } from '../../src/runtime/app/changelog.fixtures.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { MemoryLog } from '../../src/transports/memory/index.ts';
import { Changeable, harmlessChanges, rollingChanges } from './harmless-changes.ts';
import { shared } from './several-instances.ts';

/** All state comes from the changelogs, at each start. */
const changelogs = (atomicCommit: boolean) => (): OpenTransport => {
  const log = new MemoryLog();
  return () => withoutState(log, memoryStores(), atomicCommit)();
};

const kinds = {
  'state with the log': () => memoryTransport(new MemoryLog()),
  'changelogs, exactly once': changelogs(true),
  'changelogs, at least once': changelogs(false),
  'a folder': () => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-changes-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return embeddedTransport({ path, durability: 'commit' });
  },
} satisfies Record<string, () => OpenTransport>;

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  'an application starts and counts everything once, %s',
  (kind) => {
    it.each([...harmlessChanges])('after %s', async (_, change) => {
      const app = new Changeable(kinds[kind]());
      onTestFinished(() => app.close());
      await change(app);
    });
  },
);

describe('processes beside each other count everything once', () => {
  it.each([...rollingChanges])('in %s', { timeout: 120_000 }, async (_, change) => {
    const open = memoryTransport(new MemoryLog());
    const app = new Changeable(async () => shared(await open()));
    onTestFinished(() => app.close());
    await change(app);
  });
});
