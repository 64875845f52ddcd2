import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** What a file that is missing now may be called once it is there. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/**
 * Notices changes of files. Their folders are watched, because editors replace files; a source file that appears beside them
 * counts too, since a file may have failed for the lack of it.
 */
export class FileWatch {
  readonly #changed: (path: string) => void;
  readonly #folders = new Map<string, FSWatcher>();
  /** How each file looked when it was seen last. */
  readonly #files = new Map<string, string>();

  constructor(changed: (path: string) => void) {
    this.#changed = changed;
  }

  /** Forgets the files of before. Folders stay watched: nothing that changes in between is missed. */
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
      // A folder that cannot be watched, or is gone: the others are.
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
    // A file that is gone is on its way to be replaced, and what is just read does not change.
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
