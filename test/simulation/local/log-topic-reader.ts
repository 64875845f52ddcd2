import type { FetchedBatch } from '../../../src/log/transport.ts';
import type { Found, Reader } from '../topic-reader.ts';

/** Reads a topic of a log of this machine, each time from where it has come to. */
export class LogTopicReader implements Reader {
  readonly #topic: string;
  readonly #partitions: () => number;
  readonly #read: (partition: number, offset: number) => FetchedBatch | Promise<void> | undefined;
  readonly #next: number[] = [];

  constructor(
    topic: string,
    partitions: () => number,
    read: (partition: number, offset: number) => FetchedBatch | Promise<void> | undefined,
  ) {
    this.#topic = topic;
    this.#partitions = partitions;
    this.#read = read;
  }

  *more(): Generator<Found> {
    const partitions = this.#partitions();
    for (let partition = 0; partition < partitions; partition++) {
      for (;;) {
        const batch = this.#read(partition, this.#next[partition] ?? 0);
        if (batch instanceof Promise) throw new Error(`a codec of ${this.#topic} is not loaded`);
        if (batch === undefined) break;
        for (let at = 0; at < batch.count; at++) {
          const part = (start: number, length: number): Buffer =>
            Buffer.from(batch.bytes.subarray(start, start + Math.max(length, 0)));
          yield {
            partition,
            offset: batch.baseOffset + (batch.offsetDelta[at] as number),
            key: part(batch.keyStart[at] as number, batch.keyLength[at] as number).toString(),
            value: part(batch.valueStart[at] as number, batch.valueLength[at] as number),
          };
        }
        this.#next[partition] = batch.nextOffset;
      }
    }
  }
}
