import { compareBytes } from './sorted-keys.ts';
import type { StoredRow, StoredRows } from './stored-rows.ts';

/**
 * The first row of a part of the keys, found again where it was found last. What is taken from the front leaves marks until a
 * commit has seen it: whoever began with the first key each time would pass all of them, each time.
 */
export class FrontRow<V> {
  readonly #rows: StoredRows<V>;
  readonly #to: Uint8Array;
  /** No row of the part lies before it. */
  #from: Uint8Array;

  /** @param from - Where the part begins. @param to - Where it ends. */
  constructor(rows: StoredRows<V>, from: Uint8Array, to: Uint8Array) {
    this.#rows = rows;
    this.#from = from;
    this.#to = to;
  }

  /** A row has come. */
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
