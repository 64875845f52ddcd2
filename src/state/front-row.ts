import { compareBytes } from './sorted-keys.ts';
import type { StoredRow, StoredRows } from './stored-rows.ts';

/**
 * Remembers where the first row of a key range was last found. Rows taken from the front leave deletion marks until a
 * commit: a search from the first key would have to skip all of them every time.
 */
export class FrontRow<V> {
  readonly #rows: StoredRows<V>;
  readonly #to: Uint8Array;
  /** No row of the range is before it. */
  #from: Uint8Array;

  /** @param from - Start of the range. @param to - End of the range. */
  constructor(rows: StoredRows<V>, from: Uint8Array, to: Uint8Array) {
    this.#rows = rows;
    this.#from = from;
    this.#to = to;
  }

  /** A row was added. */
  added(keyBytes: Uint8Array): void {
    if (compareBytes(keyBytes, this.#from) < 0) this.#from = keyBytes;
  }

  first(): StoredRow<V> | undefined {
    const [first] = this.#rows.list(this.#from, this.#to, 1);
    this.#from = first === undefined ? this.#to : first.keyBytes;
    return first;
  }

  /** The rows before `to`, from the first one on. */
  before(to: Uint8Array): readonly StoredRow<V>[] {
    return this.#rows.list(this.#from, to);
  }

  /** The rows with `from <= key < to`. */
  between(from: Uint8Array, to: Uint8Array): Generator<StoredRow<V>> {
    return this.#rows.range(compareBytes(from, this.#from) < 0 ? this.#from : from, to);
  }
}
