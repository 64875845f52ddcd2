import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryTransport } from 'millrace';
import { afterAll, describe } from 'vitest';
import { timeOrderTests } from './time-order.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('on a log in memory', () => {
  timeOrderTests(() => ({ transport: memoryTransport() }));
});

describe('on an embedded log', () => {
  timeOrderTests(() => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-time-order-'));
    folders.push(path);
    return { path };
  });
});
