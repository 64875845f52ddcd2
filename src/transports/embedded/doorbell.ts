import { closeSync, type FSWatcher, openSync, watch, writeSync } from 'node:fs';
import { type Cancel, type Clock, every, holdingClock } from '../../dataflow/clock.ts';

const BYTE = Uint8Array.of(0);
/** If file events work, they are fast; polling only catches what they miss. */
const SLOW_POLL_MS = 1000;
/** If they do not work (some mounts, too many watchers), polling is all there is. */
const FAST_POLL_MS = 25;

/**
 * Tells the processes on one folder about commits: a committing process writes to a file that the others watch. An idle
 * process only checks once per second.
 */
export class Doorbell {
  readonly #fd: number;
  readonly #rung: () => void;
  readonly #clock: Clock;
  #watcher: FSWatcher | undefined;
  #stop: Cancel | undefined;
  #scheduled = false;
  #listeners = 0;
  #closed = false;

  /**
   * @param rung - Called when a process, possibly this one, has committed; there may be spurious calls.
   * @param clock - Its timers keep the process alive.
   */
  constructor(path: string, rung: () => void, clock: Clock = holdingClock) {
    this.#clock = clock;
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
      // The others check by themselves within a second.
    }
  }

  /** While there is a listener the process stays alive and polls. */
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
    this.#watcher?.close();
    closeSync(this.#fd);
  }

  #update(): void {
    if (this.#listeners === 0) {
      this.#stop?.();
      this.#stop = undefined;
      return;
    }
    this.#stop ??= every(this.#clock, this.#watcher === undefined ? FAST_POLL_MS : SLOW_POLL_MS, this.#rung);
  }

  #fallBack(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#stop?.();
    this.#stop = undefined;
    this.#update();
  }

  #schedule(): void {
    if (this.#scheduled || this.#listeners === 0 || this.#closed) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#rung();
    });
  }
}
