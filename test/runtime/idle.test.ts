import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog, memoryTransport } from 'millrace';
import { afterAll, describe } from 'vitest';
import { idleTests } from './idle.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('on a log in memory', () => {
  idleTests(() => ({ transport: memoryTransport(new MemoryLog()) }));
});

describe('on an embedded log', () => {
  idleTests(() => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-idle-'));
    folders.push(path);
    return { path };
  });
});
