import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { embeddedTransport } from '../../src/transports/embedded/index.ts';
import { MemoryLog, memoryTransport } from '../../src/transports/memory/index.ts';
import { patternSources } from './pattern-sources.ts';

describe('in memory', () => {
  patternSources(async () => ({ open: memoryTransport(new MemoryLog()), cleanup: async () => undefined }));
});

describe('on the embedded log', () => {
  patternSources(async () => {
    const path = await mkdtemp(join(tmpdir(), 'millrace-patterns-'));
    return {
      open: embeddedTransport({ path, durability: 'commit' }),
      cleanup: () => rm(path, { recursive: true, force: true }),
    };
  });
});
