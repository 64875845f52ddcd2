import type { Window } from '../record.ts';
import { entryBytes } from './cache-budget.ts';
import type { KeyId } from './key-codec.ts';

/** The aggregate of one key in one window. `state` is `undefined` where there is none (yet, or deleted). */
export interface Pane<K, A> {
  readonly id: KeyId;
  readonly key: NonNullable<K>;
  readonly keyBytes: Uint8Array;
  readonly window: Window;
  /** The panes that are in memory with it. */
  group: PaneGroup<K, A>;
  state: A | undefined;
  /** Highest timestamp of the records in it. */
  timestamp: number;
  dirty: boolean;
  /** Whether the store has an entry for it, so that removing it means writing. */
  stored: boolean;
  /** What it takes in memory, about, as it was committed last. */
  size: number;
  /** Why its state cannot be read, of a pane whose window closes. */
  readonly failure?: unknown;
  /** What is stored of it then. */
  readonly unread?: Uint8Array;
}

/**
 * The panes of one window that are in memory. Many windows have one pane, and a map takes more room than the rest: it is
 * made for the second.
 */
export class PaneGroup<K, A> {
  readonly window: Window;
  /** Every pane of the window is here, so a miss needs no look into the store. */
  complete: boolean;
  /** Its window is among those that are open. */
  open = false;
  /** Its panes that have changed since the last commit. */
  dirty: Pane<K, A>[] | undefined;
  /** Its place among the windows that have such panes. */
  dirtyAt = -1;
  /** In the list of those with panes in memory. */
  before: PaneGroup<K, A> | undefined;
  after: PaneGroup<K, A> | undefined;
  #first: Pane<K, A> | undefined;
  #panes: Map<KeyId, Pane<K, A>> | undefined;

  constructor(window: Window, complete: boolean) {
    this.window = window;
    this.complete = complete;
  }

  get size(): number {
    if (this.#panes !== undefined) return this.#panes.size;
    return this.#first === undefined ? 0 : 1;
  }

  get(id: KeyId): Pane<K, A> | undefined {
    if (this.#panes !== undefined) return this.#panes.get(id);
    return this.#first !== undefined && sameId(this.#first.id, id) ? this.#first : undefined;
  }

  /** Adds a pane that is not here. */
  add(pane: Pane<K, A>): void {
    if (this.#panes !== undefined) {
      this.#panes.set(pane.id, pane);
    } else if (this.#first === undefined) {
      this.#first = pane;
    } else {
      this.#panes = new Map([
        [this.#first.id, this.#first],
        [pane.id, pane],
      ]);
      this.#first = undefined;
    }
  }

  delete(pane: Pane<K, A>): void {
    if (this.#panes !== undefined) this.#panes.delete(pane.id);
    else this.#first = undefined;
  }

  panes(): Iterable<Pane<K, A>> {
    if (this.#panes !== undefined) return this.#panes.values();
    return this.#first === undefined ? [] : [this.#first];
  }
}

/** As a map compares: NaN is itself. */
function sameId(left: KeyId, right: KeyId): boolean {
  return left === right || (left !== left && right !== right);
}

export function newPane<K, A>(
  group: PaneGroup<K, A>,
  id: KeyId,
  key: NonNullable<K>,
  keyBytes: Uint8Array,
): Pane<K, A> {
  const { window } = group;
  const size = entryBytes(keyBytes.length, 0);
  return { id, key, keyBytes, window, group, state: undefined, timestamp: -1, dirty: false, stored: false, size };
}

export function storedPane<K, A>(
  group: PaneGroup<K, A>,
  id: KeyId,
  key: NonNullable<K>,
  keyBytes: Uint8Array,
  state: A,
  timestamp: number,
  valueBytes: number,
): Pane<K, A> {
  const size = entryBytes(keyBytes.length, valueBytes);
  return { id, key, keyBytes, window: group.window, group, state, timestamp, dirty: false, stored: true, size };
}
