import { closeSync, type FSWatcher, openSync, watch, writeSync } from 'node:fs';

const BYTE = Uint8Array.of(0);
/** Where file events work they are fast; this only catches what they miss. */
const SLOW_POLL_MS = 1000;
/** Where they do not work (some mounts, too many watchers) this is all there is. */
const FAST_POLL_MS = 25;

/**
 * Tells processes on one folder that something was committed: whoever commits writes to a file that the others watch. An
 * idle process spends nothing but a look every second.
 */
export class Doorbell {
  readonly #fd: number;
  readonly #rung: () => void;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  #listeners = 0;
  #closed = false;

  /** @param rung - Called when somebody, possibly this process, has committed; also for nothing. */
  constructor(path: string, rung: () => void) {
    this.#fd = openSync(path, 'w', 0o640);
    this.#rung = rung;
    writeSync(this.#fd, BYTE, 0, 1, 0);
    try {
      this.#watcher = watch(path, { persistent: false }, () => this.#schedule());
      this.#watcher.on('error', () => this.#fallBack());
    } catch {
      this.#watcher = undefined;
    }
  }

  ring(): void {
    try {
      writeSync(this.#fd, BYTE, 0, 1, 0);
    } catch {
      // The others look by themselves within a second.
    }
  }

  /** While somebody listens the process stays alive and looks by itself. */
  listen(): () => void {
    this.#listeners++;
    this.#update();
    let listening = true;
    return () => {
      if (!listening) return;
      listening = false;
      this.#listeners--;
      this.#update();
    };
  }

  close(): void {
    this.#closed = true;
    this.#listeners = 0;
    this.#update();
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#watcher?.close();
    closeSync(this.#fd);
  }

  #update(): void {
    if (this.#listeners === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= setInterval(this.#rung, this.#watcher === undefined ? FAST_POLL_MS : SLOW_POLL_MS);
  }

  #fallBack(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#update();
  }

  #schedule(): void {
    if (this.#scheduled !== undefined || this.#listeners === 0 || this.#closed) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      this.#rung();
    });
  }
}
