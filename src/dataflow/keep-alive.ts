/** The longest delay that a timer supports: about 24 days. */
const LONG_MS = 2 ** 31 - 1;

/** Keeps the process alive while something holds it, like an open socket. In a browser it does nothing. */
export class KeepAlive {
  #held = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  hold(): void {
    this.#held += 1;
    if (this.#held > 1) return;
    this.#timer ??= setInterval(() => undefined, LONG_MS);
    if (typeof this.#timer === 'object') this.#timer.ref();
  }

  release(): void {
    this.#held -= 1;
    if (this.#held === 0 && typeof this.#timer === 'object') this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
