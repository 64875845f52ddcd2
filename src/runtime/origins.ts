/** Tells which input record is being processed, as a number. */
export interface OriginSource {
  /** Whole; −1 when no record is being processed. */
  originCode(): number;
}

/** The input records that the records of a batch came from, as numbers. */
export class Origins {
  #codes = new Float64Array(16);
  #count = 0;

  add(code: number): void {
    if (this.#count === this.#codes.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#codes);
      this.#codes = grown;
    }
    this.#codes[this.#count] = code;
    this.#count += 1;
  }

  at(index: number): number {
    return this.#codes[index] ?? -1;
  }

  /** Those of some of the records, in memory of their own. */
  slice(from = 0, to: number = this.#count): Origins {
    const part = new Origins();
    part.#codes = this.#codes.slice(from, to);
    part.#count = to - from;
    return part;
  }

  reset(): void {
    this.#count = 0;
  }
}
