import type { Window } from '../record.ts';
import { entryBytes } from './cache-budget.ts';
import type { KeyId } from './key-codec.ts';

/** The aggregate of one key in one window. `state` is `undefined` if there is none yet, or it was deleted. */
export interface Pane<K, A> {
  readonly id: KeyId;
  readonly key: NonNullable<K>;
  readonly keyBytes: Uint8Array;
  readonly window: Window;
  /** The group of the window's panes in memory. */
  group: PaneGroup<K, A>;
  state: A | undefined;
  /** Highest timestamp of the records in it. */
  timestamp: number;
  dirty: boolean;
  /** Whether the store has an entry for it, so that removing it means writing. */
  stored: boolean;
  /** Approximate memory, in bytes, as of the last commit. */
  size: number;
  /** For a pane whose window closes: why its state cannot be read. */
  readonly failure?: unknown;
  /** The stored bytes of an unreadable state. */
  readonly unread?: Uint8Array;
}

/**
 * The panes of one window that are in memory. Many windows have only one pane, and a map takes more memory than
 * everything else, so it is created for the second pane.
 */
export class PaneGroup<K, A> {
  readonly window: Window;
  /** Whether every pane of the window is here, so that a miss needs no read from the store. */
  complete: boolean;
  /** Whether its window is open. */
  open = false;
  /** Its panes that have changed since the last commit. */
  dirty: Pane<K, A>[] | undefined;
  /** Its place among the windows that have such panes. */
  dirtyAt = -1;
  /** Links in the list of groups with panes in memory. */
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

  /** Adds a pane that is not in the group. */
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

/** Compares like a map: NaN equals itself. */
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
