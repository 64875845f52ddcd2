import type { Window } from '../record.ts';

/** The most windows to remember. */
const MOST = 1_000;

/**
 * Caches consecutive windows that are expensive to compute, so that records close to each other in time cost only a
 * comparison.
 */
export class KnownWindows {
  readonly #find: (timestamp: number) => Window;
  /** By start. */
  #windows: (readonly [Window])[] = [];
  #last: readonly [Window] | undefined;

  constructor(find: (timestamp: number) => Window) {
    this.#find = find;
  }

  of(timestamp: number): readonly Window[] {
    const last = this.#last;
    if (last !== undefined && timestamp >= last[0].start && timestamp < last[0].end) return last;
    const at = this.#after(timestamp);
    const near = this.#windows[at - 1];
    if (near !== undefined && timestamp < near[0].end) return (this.#last = near);
    const found = [this.#find(timestamp)] as const;
    if (this.#windows.length < MOST) this.#windows.splice(at, 0, found);
    else this.#windows = [found];
    return (this.#last = found);
  }

  /** Index of the first window that starts after a timestamp. */
  #after(timestamp: number): number {
    let low = 0;
    let high = this.#windows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#windows[middle] as readonly [Window])[0].start <= timestamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
