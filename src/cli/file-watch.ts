import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Names of source files that may be missing and appear later. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/**
 * Detects changes of files. It watches their folders, because editors replace files. A new source file next to them
 * counts too, because a load may have failed without it.
 */
export class FileWatch {
  readonly #changed: (path: string) => void;
  readonly #folders = new Map<string, FSWatcher>();
  /** The last known state of each file. */
  readonly #files = new Map<string, string>();

  constructor(changed: (path: string) => void) {
    this.#changed = changed;
  }

  /** Starts with new files. Folders stay watched, so that no change in between is missed. */
  begin(paths: readonly string[]): void {
    this.#files.clear();
    for (const path of paths) this.add(path);
  }

  add(path: string): void {
    if (!this.#files.has(path)) this.#files.set(path, lookOf(path));
    const folder = dirname(path);
    if (this.#folders.has(folder)) return;
    try {
      const watcher = watch(folder, (_, name) => {
        if (name !== null) this.#look(resolve(folder, name));
      });
      watcher.on('error', () => undefined);
      this.#folders.set(folder, watcher);
    } catch {
      // A folder that is missing or cannot be watched; the others still are.
    }
  }

  close(): void {
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #look(path: string): void {
    const before = this.#files.get(path);
    if (before === undefined && !SOURCE.test(path)) return;
    const now = lookOf(path);
    // A missing file is about to be replaced; reading a file does not change it.
    if (now === before || now === '') return;
    this.#files.set(path, now);
    this.#changed(path);
  }
}

function lookOf(path: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(path);
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return '';
  }
}
