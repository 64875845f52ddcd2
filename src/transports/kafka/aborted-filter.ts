import type { BatchHeader } from '../../protocol/batch-decoder.ts';
import type { AbortedTransaction } from './wire/fetch.ts';

/**
 * Determines which batches of a fetch response belong to aborted transactions. The broker lists those transactions in
 * the order in which they ended, so they are sorted by their first offset.
 */
export class AbortedFilter {
  readonly #coming: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    // Last first, to be taken from the end.
    this.#coming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Whether the records of a batch must be hidden. Call it with batches in log order. */
  hides(header: BatchHeader): boolean {
    for (let next = this.#coming.at(-1); next !== undefined; next = this.#coming.at(-1)) {
      if (next.firstOffset >= header.nextOffset) break;
      this.#open.add(next.producerId);
      this.#coming.pop();
    }
    return header.transactional && !header.control && this.#open.has(header.producerId);
  }

  /** Called for a marker that ends the aborted transaction of a producer. */
  ended(producerId: bigint): void {
    this.#open.delete(producerId);
  }
}
