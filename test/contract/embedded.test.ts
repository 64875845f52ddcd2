import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { contractSuite } from './suite.ts';

contractSuite(
  'embedded',
  async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-contract-'));
    return {
      open: embeddedTransport({ path: join(path, 'log') }),
      cleanup: () => rm(path, { recursive: true, force: true }),
    };
  },
  { modelRuns: 40 },
);
