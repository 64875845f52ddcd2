import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { MemoryLog, memoryTransport } from '../../src/transports/memory/index.ts';
import { topicOwners } from './topic-owners.ts';

describe('in memory', () => {
  topicOwners(async () => ({ open: memoryTransport(new MemoryLog()), cleanup: async () => undefined }));
});

describe('on the embedded log', () => {
  topicOwners(async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-owners-'));
    return {
      open: embeddedTransport({ path, durability: 'commit' }),
      cleanup: () => rm(path, { recursive: true, force: true }),
    };
  });
});
