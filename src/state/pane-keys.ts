import type { Window } from '../record.ts';
import type { ByteStore } from './byte-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** The keys of panes in a store: `[start][end][key]`, or `[start][key]` in older stores, which have no ends. */
export interface PaneKeys {
  /** Number of bytes before the record key. */
  readonly prefix: number;
  /** The key of a pane; without key bytes, the common prefix of the window's panes. */
  of(window: Window, key?: Uint8Array): Uint8Array<ArrayBuffer>;
  windowOf(pane: Uint8Array): Window;
  /** A bound after the last possible key of the window's panes. */
  after(window: Window): Uint8Array<ArrayBuffer>;
}

/** Represents the end of a window that never ends. */
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

/** Key of the entry that records that ends are stored. Times are below 2^53, so no pane's key starts with this byte. */
export const FORMAT_KEY: Uint8Array = Uint8Array.of(0xfe);
const WITH_ENDS = 2;

/**
 * The fingerprint of a window store. Older versions, which store no ends, refuse a store with ends; a store of theirs
 * is opened as it is.
 */
export function windowFingerprint(meaning: string): { readonly fingerprint: string; readonly formerly: string } {
  return { fingerprint: `${meaning}, with ends`, formerly: meaning };
}

/** The first entry of a new store. */
export const FORMAT: Uint8Array = Uint8Array.of(WITH_ENDS);

/**
 * How to find the panes of a store: a store that was created without ends continues without them.
 *
 * @param sizeMs - Length of the windows, if all have the same.
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

/** The format entry of a store with such keys. */
export function formatOf(keys: PaneKeys): Uint8Array | undefined {
  return keys === withEnds ? FORMAT : undefined;
}

/** How many panes of one window are read sequentially before seeking to the next window. */
const FEW = 8;

/** The windows of the stored panes, without duplicates. It seeks past windows with many panes and reads no values. */
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
