import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { clientSuite } from './suite.ts';

clientSuite('embedded', async () => {
  const path = await mkdtemp(join(tmpdir(), 'millrace-client-'));
  return {
    open: embeddedTransport({ path: join(path, 'log'), durability: 'memory' }),
    cleanup: () => rm(path, { recursive: true, force: true }),
  };
});
