import type { EmittedRow } from '../dataflow/emitted-row.ts';

/** Knows which input record is being processed, as a number. */
export interface OriginSource {
  /** A whole number; −1 if no record is being processed. */
  originCode(): number;
  /** The row that a stateful step is emitting. */
  readonly row: EmittedRow | undefined;
}

/** The origin of a record in a batch. */
export interface OutputOrigin {
  /** The input record, as a number; −1 if there was none. */
  readonly code: number;
  readonly row: EmittedRow | undefined;
}

/** The origins of the records of a batch: input records as numbers, and rows. */
export class Origins {
  #codes = new Float64Array(16);
  #count = 0;
  /** By position; most batches have none. */
  #rows: (EmittedRow | undefined)[] | undefined;

  add(code: number, row: EmittedRow | undefined): void {
    if (this.#count === this.#codes.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#codes);
      this.#codes = grown;
    }
    this.#codes[this.#count] = code;
    if (row !== undefined) (this.#rows ??= [])[this.#count] = row;
    this.#count += 1;
  }

  at(index: number): OutputOrigin {
    return { code: this.#codes[index] ?? -1, row: this.#rows?.[index] };
  }

  some(wanted: (code: number) => boolean): boolean {
    for (let index = 0; index < this.#count; index += 1) if (wanted(this.#codes[index] as number)) return true;
    return false;
  }

  /** The origins of some of the records, copied. */
  slice(from = 0, to: number = this.#count): Origins {
    const part = new Origins();
    part.#codes = this.#codes.slice(from, to);
    part.#count = to - from;
    part.#rows = this.#rows?.slice(from, to);
    return part;
  }

  reset(): void {
    this.#count = 0;
    // A batch that had rows will have them again: keep the array, but release its contents.
    if (this.#rows !== undefined) this.#rows.length = 0;
  }
}
