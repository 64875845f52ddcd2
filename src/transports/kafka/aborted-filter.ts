import type { BatchHeader } from '../../protocol/batch-decoder.ts';
import type { AbortedTransaction } from './wire/fetch.ts';

/**
 * Tells which batches of one fetch response belong to aborted transactions. The broker lists those transactions in the
 * order in which they ended, so they are sorted by where they begin.
 */
export class AbortedFilter {
  readonly #coming: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // Last first, to be taken from the end.
    this.#coming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Whether the records of a batch are not to be read; batches are shown in the order of the log. */
  hides(header: BatchHeader): boolean {
    for (let next = this.#coming.at(-1); next !== undefined; next = this.#coming.at(-1)) {
      if (next.firstOffset >= header.nextOffset) break;
      this.#open.add(next.producerId);
      this.#coming.pop();
    }
    return header.transactional && !header.control && this.#open.has(header.producerId);
  }

  /** A marker says that the aborted transaction of a producer ends here. */
  ended(producerId: bigint): void {
    this.#open.delete(producerId);
  }
}
