import type { MillraceError } from '../../errors.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import { OutputBuffers } from '../../log/outputs.ts';
import { type AppendResult, type OutgoingBatch, offsetOf } from '../../log/transport.ts';
import { writeFailure } from '../failures.ts';
import type { EncodedRecord } from './encode-record.ts';
import type { Published } from './published.ts';

/** A record that waits for its acknowledgement. */
export interface Waiting {
  readonly published: { -readonly [P in keyof Published]: Published[P] };
  /** Missing if the caller waits for the round as a whole. */
  readonly resolve?: (published: Published) => void;
  readonly reject?: (error: MillraceError) => void;
}

/** A batch of a round, and the waiting calls of its records in order. */
export interface RoundBatch {
  readonly batch: OutgoingBatch;
  readonly waiting: readonly Waiting[];
}

/** Records that are sent together. */
export class Round {
  /** All or nothing: no part is sent without the rest. */
  readonly atomic: boolean;
  /**
   * Resolves when every record has been acknowledged or refused; for an atomic round, with the error that refused all
   * of it.
   */
  readonly done: Promise<MillraceError | undefined>;
  /** Resolves when a round that is filled over several turns of the event loop is full or abandoned. */
  filling: Promise<void> | undefined;
  /** Whether all waiting calls have been settled. */
  finished = false;
  count = 0;
  bytes = 0;
  readonly #buffers: OutputBuffers;
  readonly #waiting = new Map<string, Waiting[][]>();
  #taken: RoundBatch[] | undefined;
  #settle!: (error: MillraceError | undefined) => void;

  constructor(lookUp: (topic: string) => OutputTopic, atomic: boolean) {
    this.atomic = atomic;
    this.#buffers = new OutputBuffers(lookUp);
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** @throws RecordError `ERR_RECORD_TOO_LARGE` */
  add(record: EncodedRecord, waiting: Waiting): void {
    const { topic, partition } = waiting.published;
    this.#buffers.topic(topic).append(partition, record.timestamp, record.key, record.value, record.headers);
    let partitions = this.#waiting.get(topic);
    if (partitions === undefined) this.#waiting.set(topic, (partitions = []));
    let list = partitions[partition];
    if (list === undefined) partitions[partition] = list = [];
    list.push(waiting);
    this.count += 1;
    this.bytes += record.size;
  }

  /** The batches, in order within each partition; every call returns the same ones. */
  take(): RoundBatch[] {
    this.#taken ??= this.#take();
    return this.#taken;
  }

  #take(): RoundBatch[] {
    const taken = new Map<Waiting[], number>();
    return this.#buffers.take().map((batch) => {
      const all = this.#waiting.get(batch.topic)?.[batch.partition] ?? [];
      const from = taken.get(all) ?? 0;
      taken.set(all, from + batch.records.count);
      return { batch, waiting: all.slice(from, from + batch.records.count) };
    });
  }

  finish(error?: MillraceError): void {
    this.finished = true;
    this.#settle(error);
  }
}

/** Settles the waiting calls: with the places of their records, or why they were refused. */
export function acknowledge({ batch, waiting }: RoundBatch, result: AppendResult): void {
  for (let index = 0; index < waiting.length; index += 1) {
    const { published, reject, resolve } = waiting[index] as Waiting;
    const refusal = result.refused?.get(index);
    if (refusal !== undefined) {
      reject?.(writeFailure(refusal, batch.topic, 'no', batch.partition));
      continue;
    }
    published.offset = offsetOf(result, index);
    resolve?.(published);
  }
}

/** Rejects the waiting calls, because their records were not acknowledged. */
export function refuse({ batch, waiting }: RoundBatch, error: MillraceError): void {
  const failure = writeFailure(error, batch.topic, 'unknown');
  for (const { reject } of waiting) reject?.(failure);
}
