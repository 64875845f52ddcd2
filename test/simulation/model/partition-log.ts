import { decodeBatch } from '../../../src/protocol/batch-decoder.ts';
import { type BatchHeader, peekBatchHeader, stampBaseOffset } from '../../../src/protocol/batch-header.ts';
import { encodeControlBatch } from '../../../src/protocol/control-batch.ts';
import { SEQUENCES } from '../../../src/transports/kafka/stamp-producer.ts';
import type { AbortedTransaction } from '../../../src/transports/kafka/wire/fetch.ts';

/** A producer as a partition remembers it. */
interface Producer {
  epoch: number;
  /** Its last five batches; none after its epoch has changed. */
  last: { readonly first: number; readonly last: number; readonly offset: number }[];
  /** Where its open transaction begins. */
  openFrom: number | undefined;
}

export interface Batch {
  readonly header: BatchHeader;
  readonly bytes: Uint8Array;
}

export interface Appended {
  readonly errorCode: number;
  readonly baseOffset: number;
}

const KEPT = 5;
const refused = (errorCode: number): Appended => ({ errorCode, baseOffset: -1 });

/** One partition of the model: batches, who wrote them, and which transactions were aborted. */
export class PartitionLog {
  start = 0;
  end = 0;
  readonly #batches: Batch[] = [];
  readonly #producers = new Map<bigint, Producer>();
  readonly #aborted: (AbortedTransaction & { readonly last: number })[] = [];
  /** The lowest sequence number of producers whose transactions have not begun here yet. */
  readonly #lowest = new Map<bigint, { readonly epoch: number; readonly sequence: number }>();
  /** Called when there is more to read. */
  readonly #listeners = new Set<() => void>();

  /** Up to where no transaction is open. */
  get stable(): number {
    let stable = this.end;
    for (const { openFrom } of this.#producers.values())
      if (openFrom !== undefined) stable = Math.min(stable, openFrom);
    // If its first records are deleted, a transaction begins with the batch that the partition begins with.
    if (stable < this.start) return this.#batches[this.#indexOf(this.start)]?.header.baseOffset ?? this.start;
    return stable;
  }

  /** Whether a producer has a transaction open here. */
  isOpen(producerId: bigint): boolean {
    return this.#producers.get(producerId)?.openFrom !== undefined;
  }

  /** A producer begins to write in a transaction: it is to begin with the first sequence number that it has come with. */
  begins({ baseSequence, producerEpoch, producerId }: BatchHeader): void {
    const known = this.#lowest.get(producerId);
    const sequence = known?.epoch === producerEpoch ? Math.min(known.sequence, baseSequence) : baseSequence;
    if (known === undefined || producerEpoch >= known.epoch)
      this.#lowest.set(producerId, { epoch: producerEpoch, sequence });
  }

  append(given: Uint8Array): Appended {
    const header = peekBatchHeader(given, 0) as BatchHeader;
    const { baseSequence, count, producerEpoch, producerId, transactional } = header;
    if (producerId < 0n) return this.#add(given);
    const known = this.#producers.get(producerId);
    const last = (baseSequence + count - 1) % SEQUENCES;
    // In the order of Kafka's checks: repeated batches, epoch, sequence number.
    if (known !== undefined) {
      const again = known.last.find((each) => each.first === baseSequence && each.last === last);
      if (again !== undefined && producerEpoch === known.epoch) return { errorCode: 0, baseOffset: again.offset };
      if (producerEpoch < known.epoch) return refused(47);
    }
    const lowest = this.#lowest.get(producerId);
    if (lowest !== undefined && baseSequence > lowest.sequence) return refused(45);
    if (known !== undefined) {
      const before = producerEpoch === known.epoch ? (known.last.at(-1)?.last ?? -1) : -1;
      if ((before + 1) % SEQUENCES !== baseSequence) return refused(45);
      if (!transactional && known.openFrom !== undefined) return refused(48);
    }
    const producer = known ?? { epoch: producerEpoch, last: [], openFrom: undefined };
    if (producer.epoch !== producerEpoch) producer.last = [];
    producer.epoch = producerEpoch;
    this.#producers.set(producerId, producer);
    const appended = this.#add(given);
    producer.last = [...producer.last.slice(1 - KEPT), { first: baseSequence, last, offset: appended.baseOffset }];
    if (transactional) {
      producer.openFrom ??= appended.baseOffset;
      this.#lowest.delete(producerId);
    }
    this.#tell();
    return appended;
  }

  /** The transaction of a producer ends. */
  mark(producerId: bigint, producerEpoch: number, marker: 'commit' | 'abort', timestamp: number): void {
    const known = this.#producers.get(producerId) ?? { epoch: producerEpoch, last: [], openFrom: undefined };
    if (producerEpoch < known.epoch) return;
    this.#producers.set(producerId, known);
    const { baseOffset } = this.#add(encodeControlBatch({ marker, timestamp, producerId, producerEpoch }));
    if (producerEpoch > known.epoch) known.last = [];
    known.epoch = producerEpoch;
    if (marker === 'abort' && known.openFrom !== undefined) {
      this.#aborted.push({ producerId, firstOffset: known.openFrom, last: baseOffset });
    }
    known.openFrom = undefined;
    this.#lowest.delete(producerId);
    this.#tell();
  }

  /** Whole batches from an offset on, as many as fit; one at least if there is one, where that is asked for. */
  read(
    offset: number,
    maxBytes: number,
    committed: boolean,
    one: boolean,
  ): { records: Uint8Array; aborted: AbortedTransaction[] } {
    const end = committed ? this.stable : this.end;
    const taken: Uint8Array[] = [];
    let bytes = 0;
    let next = offset;
    for (let at = this.#indexOf(offset); at < this.#batches.length; at++) {
      const batch = this.#batches[at] as Batch;
      if (batch.header.baseOffset >= end) break;
      if (bytes + batch.bytes.length > maxBytes && !(one && taken.length === 0)) break;
      taken.push(batch.bytes);
      bytes += batch.bytes.length;
      next = batch.header.nextOffset;
    }
    const aborted = committed ? this.#aborted.filter((each) => each.last >= offset && each.firstOffset < next) : [];
    return { records: new Uint8Array(Buffer.concat(taken)), aborted };
  }

  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, offset);
    while ((this.#batches[0]?.header.nextOffset ?? Number.POSITIVE_INFINITY) <= this.start) this.#batches.shift();
  }

  /** The first offset whose record has that time or a later one; −1 when there is none. */
  offsetAt(time: number, committed: boolean): number {
    const end = committed ? this.stable : this.end;
    for (const { bytes, header } of this.#batches) {
      if (header.maxTimestamp < time || header.nextOffset <= this.start || header.baseOffset >= end) continue;
      if (header.control) return header.baseOffset;
      const columns = decodeBatch(bytes, 0);
      for (let at = 0; at < columns.count; at++) {
        const offset = header.baseOffset + (columns.offsetDelta[at] as number);
        if (offset >= this.start && offset < end && (columns.timestamp[at] as number) >= time) return offset;
      }
    }
    return -1;
  }

  /** Every batch that readers of committed records get from an offset on, in order. */
  *committed(from = 0): Generator<Batch> {
    const { stable } = this;
    for (const batch of this.batches(from)) {
      if (batch.header.baseOffset >= stable) return;
      if (this.fate(batch) === 'committed') yield batch;
    }
  }

  /** Every batch of records from an offset on, in order. */
  *batches(from = 0): Generator<Batch> {
    for (let at = this.#indexOf(from); at < this.#batches.length; at++) {
      const batch = this.#batches[at] as Batch;
      if (!batch.header.control) yield batch;
    }
  }

  /** What became of the transaction of a batch. */
  fate({ header: { baseOffset, producerId, transactional } }: Batch): 'committed' | 'aborted' | 'open' {
    if (!transactional) return 'committed';
    if (baseOffset >= (this.#producers.get(producerId)?.openFrom ?? Number.POSITIVE_INFINITY)) return 'open';
    const aborted = this.#aborted.some(
      (each) => each.producerId === producerId && each.firstOffset <= baseOffset && baseOffset < each.last,
    );
    return aborted ? 'aborted' : 'committed';
  }

  onMore(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #add(given: Uint8Array): Appended {
    const bytes = given.slice();
    stampBaseOffset(bytes, this.end, 0);
    const header = peekBatchHeader(bytes, 0) as BatchHeader;
    this.#batches.push({ bytes, header });
    this.end = header.nextOffset;
    this.#tell();
    return { errorCode: 0, baseOffset: header.baseOffset };
  }

  /** Where the first batch stands that ends behind an offset. */
  #indexOf(offset: number): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#batches[middle] as Batch).header.nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
