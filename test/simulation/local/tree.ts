/** Entries in the order of their keys' bytes. */
export class Tree {
  readonly keys: Buffer[];
  readonly values: Buffer[];

  constructor(keys: Buffer[] = [], values: Buffer[] = []) {
    this.keys = keys;
    this.values = values;
  }

  copy(): Tree {
    return new Tree([...this.keys], [...this.values]);
  }

  get(key: Uint8Array): Buffer | undefined {
    const at = this.#at(key);
    return this.#is(at, key) ? this.values[at] : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const at = this.#at(key);
    // What is handed over may change after that.
    if (this.#is(at, key)) this.values[at] = Buffer.from(value);
    else {
      this.keys.splice(at, 0, Buffer.from(key));
      this.values.splice(at, 0, Buffer.from(value));
    }
  }

  remove(key: Uint8Array): void {
    const at = this.#at(key);
    if (!this.#is(at, key)) return;
    this.keys.splice(at, 1);
    this.values.splice(at, 1);
  }

  /** Copies of what a range holds. */
  *entries(bounds: Bounds): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
    for (const at of this.#range(bounds))
      yield { key: Buffer.from(this.keys[at] as Buffer), value: Buffer.from(this.values[at] as Buffer) };
  }

  /** As LMDB's ranges: from `start` to `end`, which is left out unless it says otherwise; backwards from `start` down. */
  *#range({ end, exclusiveStart, inclusiveEnd, limit, reverse, start }: Bounds): Generator<number> {
    const isWithin = (key: Buffer): boolean => {
      if (end === undefined) return true;
      const order = Buffer.compare(key, end) * (reverse === true ? -1 : 1);
      return order < 0 || (order === 0 && inclusiveEnd === true);
    };
    let at = start === undefined ? (reverse === true ? this.keys.length - 1 : 0) : this.#at(start);
    if (start !== undefined && reverse === true && !this.#is(at, start)) at -= 1;
    if (start !== undefined && exclusiveStart === true && this.#is(at, start)) at += reverse === true ? -1 : 1;
    for (let left = limit ?? Number.POSITIVE_INFINITY; left > 0; left--) {
      const key = this.keys[at];
      if (key === undefined || !isWithin(key)) return;
      yield at;
      at += reverse === true ? -1 : 1;
    }
  }

  /** Where a key stands, or the first one behind it. */
  #at(key: Uint8Array): number {
    let [low, high] = [0, this.keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare(this.keys[middle] as Buffer, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #is(at: number, key: Uint8Array): boolean {
    const found = this.keys[at];
    return found !== undefined && Buffer.compare(found, key) === 0;
  }
}

export interface Bounds {
  readonly start?: Uint8Array;
  readonly end?: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
}
