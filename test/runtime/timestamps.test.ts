import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog, memoryTransport } from 'millrace';
import { afterAll, describe } from 'vitest';
import { timestampTests } from './timestamps.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('on a log in memory', () => {
  timestampTests(() => ({ transport: memoryTransport(new MemoryLog()) }));
});

describe('on an embedded log', () => {
  timestampTests(() => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-timestamps-'));
    folders.push(path);
    return { path };
  });
});
