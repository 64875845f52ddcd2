import type { Window } from '../record.ts';

/** How many windows a chunk has before it is split: moving so many numbers is cheaper than a call of the runtime. */
const CHUNK = 64;

interface Chunk<T> {
  readonly ends: number[];
  readonly starts: number[];
  readonly items: (T | undefined)[];
}

/**
 * Windows in the order in which they close (by end, then by start), each with an optional item. A window takes only two
 * numbers and a slot, because there may be millions. The next windows to close come first, so the cost of closing
 * depends on what closes and not on what is open.
 */
export class OpenWindows<T> {
  /** The earliest end; `Infinity` if none is open. */
  firstEnd: number = Number.POSITIVE_INFINITY;
  readonly #chunks: Chunk<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The earliest start; `Infinity` if none is open. Nested windows do not start in the order of their ends. */
  firstStart(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { starts } of this.#chunks) for (const start of starts) if (start < first) first = start;
    return first;
  }

  /** The latest end; −1 if none is open. */
  get lastEnd(): number {
    return this.#chunks.at(-1)?.ends.at(-1) ?? -1;
  }

  has(start: number, end: number): boolean {
    const chunk = this.#chunks[this.#chunkFor(start, end)];
    return chunk !== undefined && isAt(chunk, lowerBound(chunk, start, end), start, end);
  }

  /** The item of an open window. */
  get(start: number, end: number): T | undefined {
    const chunk = this.#chunks[this.#chunkFor(start, end)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk, start, end);
    return isAt(chunk, at, start, end) ? chunk.items[at] : undefined;
  }

  /** Opens a window, or replaces the item of an open one. */
  set(start: number, end: number, item: T | undefined): void {
    const index = this.#chunkFor(start, end);
    const chunk = this.#chunks[index];
    if (chunk === undefined) {
      this.#chunks.push({ ends: [end], starts: [start], items: [item] });
      this.#added(end);
      return;
    }
    const at = lowerBound(chunk, start, end);
    if (isAt(chunk, at, start, end)) {
      chunk.items[at] = item;
      return;
    }
    this.#added(end);
    if (at === chunk.ends.length) {
      chunk.ends.push(end);
      chunk.starts.push(start);
      chunk.items.push(item);
    } else {
      chunk.ends.splice(at, 0, end);
      chunk.starts.splice(at, 0, start);
      chunk.items.splice(at, 0, item);
    }
    // Ascending insertion, the usual case, produces full chunks.
    if (chunk.ends.length > CHUNK) this.#split(index, chunk, at === CHUNK ? CHUNK : CHUNK >>> 1);
  }

  delete(start: number, end: number): void {
    const index = this.#chunkFor(start, end);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return;
    const at = lowerBound(chunk, start, end);
    if (!isAt(chunk, at, start, end)) return;
    this.#size -= 1;
    if (at === 0) {
      chunk.ends.shift();
      chunk.starts.shift();
      chunk.items.shift();
    } else {
      chunk.ends.splice(at, 1);
      chunk.starts.splice(at, 1);
      chunk.items.splice(at, 1);
    }
    if (chunk.ends.length === 0) this.#chunks.splice(index, 1);
    if (end === this.firstEnd) this.firstEnd = this.#chunks[0]?.ends[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The windows that end at `end` or earlier, by start, then by end. */
  endedBy(end: number): Window[] {
    const ended: Window[] = [];
    let inOrder = true;
    for (const { ends, starts } of this.#chunks) {
      for (let at = 0; at < ends.length; at += 1) {
        const window = { start: starts[at] as number, end: ends[at] as number };
        if (window.end > end) return inOrder ? ended : ended.sort(byStart);
        inOrder &&= ended.length === 0 || byStart(ended[ended.length - 1] as Window, window) < 0;
        ended.push(window);
      }
    }
    return inOrder ? ended : ended.sort(byStart);
  }

  /** All windows, by start, then by end. */
  all(): Window[] {
    return this.endedBy(Number.POSITIVE_INFINITY);
  }

  #added(end: number): void {
    this.#size += 1;
    if (end < this.firstEnd) this.firstEnd = end;
  }

  #split(index: number, { ends, items, starts }: Chunk<T>, from: number): void {
    this.#chunks.splice(index + 1, 0, {
      ends: ends.splice(from),
      starts: starts.splice(from),
      items: items.splice(from),
    });
  }

  /** The last chunk that does not start after the window, or the first chunk. */
  #chunkFor(start: number, end: number): number {
    let low = 0;
    let high = this.#chunks.length;
    const last = this.#chunks[high - 1];
    if (last !== undefined && !isAfter(last, 0, start, end)) return high - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAfter(this.#chunks[middle] as Chunk<T>, 0, start, end)) high = middle;
      else low = middle + 1;
    }
    return low === 0 ? 0 : low - 1;
  }
}

const byStart = (left: Window, right: Window): number => left.start - right.start || left.end - right.end;

/** Whether the window at `at` comes after the given one. */
function isAfter({ ends, starts }: Chunk<unknown>, at: number, start: number, end: number): boolean {
  const other = ends[at] as number;
  return other > end || (other === end && (starts[at] as number) > start);
}

function isAt({ ends, starts }: Chunk<unknown>, at: number, start: number, end: number): boolean {
  return ends[at] === end && starts[at] === start;
}

/** Index of the first window that does not come before the given one. */
function lowerBound({ ends, starts }: Chunk<unknown>, start: number, end: number): number {
  let low = 0;
  let high = ends.length;
  const last = ends[high - 1] as number;
  if (last < end) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = ends[middle] as number;
    if (other < end || (other === end && (starts[middle] as number) < start)) low = middle + 1;
    else high = middle;
  }
  return low;
}
