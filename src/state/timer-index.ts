import type { ByteStore } from './byte-store.ts';
import { ChangedBytes } from './changed-bytes.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { Changes } from './prefixed-bytes.ts';

/** An entry of the index: when to check a key. */
export interface Wake {
  readonly time: number;
  readonly keyBytes: Uint8Array;
}

const PRESENT = Uint8Array.of(1);
const NO_KEY = new Uint8Array(0);

/** Keys ordered by time: `[time][key]`. */
export class TimerIndex {
  /** No entry is earlier; `Infinity` if there is none. */
  earliest = 0;
  readonly #entries: ChangedBytes;

  constructor(bytes: ByteStore) {
    this.#entries = new ChangedBytes(bytes);
    this.refresh();
  }

  add(time: number, keyBytes: Uint8Array): void {
    this.#entries.set(entryOf(time, keyBytes), PRESENT);
    if (time < this.earliest) this.earliest = time;
  }

  delete(time: number, keyBytes: Uint8Array): void {
    this.#entries.delete(entryOf(time, keyBytes));
  }

  /** The first entry at `until` or earlier. @param after - Only entries after this one, or at it if `including`. */
  first(until: number, after: Wake | undefined, including: boolean): Wake | undefined {
    if (this.earliest > until) return undefined;
    const from = after === undefined ? entryOf(this.earliest) : entryOf(after.time, after.keyBytes, including ? 0 : 1);
    const { done, value } = this.#entries.range(from, entryOf(until + 1)).next();
    return done === true ? undefined : wakeOf(value[0]);
  }

  /** Determines the first entry. */
  refresh(): void {
    if (this.earliest === Number.POSITIVE_INFINITY) return;
    const { done, value } = this.#entries.range(entryOf(this.earliest)).next();
    this.earliest = done === true ? Number.POSITIVE_INFINITY : wakeOf(value[0]).time;
  }

  collect(): { readonly added: Changes; readonly deleted: Changes } {
    const [keys, values]: [Uint8Array[], (Uint8Array | null)[]] = [[], []];
    this.#entries.collect(keys, values);
    const added: Changes = { keys: [], values: [] };
    const deleted: Changes = { keys: [], values: [] };
    for (const [at, key] of keys.entries()) {
      const value = values[at] ?? null;
      const part = value === null ? deleted : added;
      part.keys.push(key);
      part.values.push(value);
    }
    return { added, deleted };
  }

  committed(): void {
    this.#entries.committed();
  }
}

/** @param behind - Number of zeros after the key: with one, the result comes right after the key. */
function entryOf(time: number, keyBytes: Uint8Array = NO_KEY, behind = 0): Uint8Array {
  const entry = new Uint8Array(NUMBER_BYTES + keyBytes.length + behind);
  writeNumber(entry, 0, time);
  entry.set(keyBytes, NUMBER_BYTES);
  return entry;
}

function wakeOf(entry: Uint8Array): Wake {
  return { time: readNumber(entry, 0), keyBytes: entry.slice(NUMBER_BYTES) };
}
