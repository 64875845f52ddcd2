import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Beside the results and not in the system's temporary folder, which may be memory: flushing to it would cost nothing. */
const FOLDER = fileURLToPath(new URL('../results', import.meta.url));

/** Runs `work` with a fresh folder, and removes it. */
export async function withScratch<T>(work: (path: string) => Promise<T>): Promise<T> {
  mkdirSync(FOLDER, { recursive: true });
  const path = mkdtempSync(join(FOLDER, 'scratch-'));
  try {
    return await work(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
