import type { Window } from '../record.ts';
import type { ByteStore } from './byte-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** Where the panes of a store lie: `[start][end][key]`, or `[start][key]` in a store from before ends were kept. */
export interface PaneKeys {
  /** Bytes before those of the key. */
  readonly prefix: number;
  /** The key of a pane; without key bytes, what those of the window begin with. */
  of(window: Window, key?: Uint8Array): Uint8Array<ArrayBuffer>;
  windowOf(pane: Uint8Array): Window;
  /** Behind the last key that the window's panes can have. */
  after(window: Window): Uint8Array<ArrayBuffer>;
}

/** Stands for an end that never comes. */
const WITHOUT_END = Number.MAX_SAFE_INTEGER;

const NO_KEY = new Uint8Array(0);

const withEnds: PaneKeys = {
  prefix: 2 * NUMBER_BYTES,
  of({ start, end }, key = NO_KEY) {
    const bytes = new Uint8Array(2 * NUMBER_BYTES + key.length);
    writeNumber(bytes, 0, start);
    writeNumber(bytes, NUMBER_BYTES, end === Number.POSITIVE_INFINITY ? WITHOUT_END : end);
    bytes.set(key, 2 * NUMBER_BYTES);
    return bytes;
  },
  windowOf(pane) {
    const end = readNumber(pane, NUMBER_BYTES);
    return { start: readNumber(pane, 0), end: end === WITHOUT_END ? Number.POSITIVE_INFINITY : end };
  },
  after: ({ start, end }) =>
    end === Number.POSITIVE_INFINITY ? withEnds.of({ start: start + 1, end: 0 }) : withEnds.of({ start, end: end + 1 }),
};

function withoutEnds(sizeMs: number): PaneKeys {
  const keys: PaneKeys = {
    prefix: NUMBER_BYTES,
    of({ start }, key = NO_KEY) {
      const bytes = new Uint8Array(NUMBER_BYTES + key.length);
      writeNumber(bytes, 0, start);
      bytes.set(key, NUMBER_BYTES);
      return bytes;
    },
    windowOf(pane) {
      const start = readNumber(pane, 0);
      return { start, end: start + sizeMs };
    },
    after: ({ start, end }) => keys.of({ start: start + 1, end }),
  };
  return keys;
}

/** Key of the entry that says that ends are kept. Times are below 2^53, so no pane's key begins with this byte. */
export const FORMAT_KEY: Uint8Array = Uint8Array.of(0xfe);
const WITH_ENDS = 2;

/**
 * What a window store is known by. Versions that do not keep ends refuse a store that has them; one of theirs is opened as
 * it is.
 */
export function windowFingerprint(meaning: string): { readonly fingerprint: string; readonly formerly: string } {
  return { fingerprint: `${meaning}, with ends`, formerly: meaning };
}

/** The entry that a store begins with. */
export const FORMAT: Uint8Array = Uint8Array.of(WITH_ENDS);

/**
 * How the panes of a store are found: a store that was begun without ends goes on without.
 *
 * @param sizeMs - Length of the windows, where all are alike.
 * @returns `isNew` for a store without entries.
 */
export function paneKeysOf(bytes: ByteStore, sizeMs: number | undefined): { keys: PaneKeys; isNew: boolean } {
  if (bytes.get(FORMAT_KEY)?.[0] === WITH_ENDS) return { keys: withEnds, isNew: false };
  const isNew = bytes.keys().next().done === true;
  return { keys: isNew || sizeMs === undefined ? withEnds : withoutEnds(sizeMs), isNew };
}

export function isFormat(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === FORMAT_KEY[0];
}

/** The entry of a store whose panes lie so. */
export function formatOf(keys: PaneKeys): Uint8Array | undefined {
  return keys === withEnds ? FORMAT : undefined;
}

/** Panes of one window that are read one after the other before the next window is sought. */
const FEW = 8;

/** The windows of the stored panes, each once. Seeks over windows with many panes, and reads no values. */
export function* storedWindows(bytes: ByteStore, keys: PaneKeys): Generator<Window> {
  let from: Uint8Array | undefined = new Uint8Array(0);
  while (from !== undefined) {
    const start: Uint8Array = from;
    from = undefined;
    let last: Window = { start: -1, end: -1 };
    let alike = 0;
    for (const pane of bytes.keys(start, FORMAT_KEY)) {
      const window = keys.windowOf(pane);
      if (window.start !== last.start || window.end !== last.end) {
        yield window;
        last = window;
        alike = 0;
      } else if (++alike > FEW) {
        from = keys.after(window);
        break;
      }
    }
  }
}
