import type { MillraceError } from '../errors.ts';
import type { InputOrigin } from '../topology/task-context.ts';
import type { InputSet } from './input-set.ts';
import type { OriginSource } from './origins.ts';
import type { TaskFailures } from './task-failures.ts';
import type { OutgoingBatch, RecordOwner } from './transport.ts';

export interface RecordReader {
  /** Reads an input record again; `undefined` when it is not there any more. */
  recordAt?(topic: string, partition: number, offset: number): Promise<InputOrigin | undefined>;
}

/** Knows which input record is being processed, and answers for what came of one and was refused by the log. */
export class TaskOrigins implements RecordOwner, OriginSource {
  readonly #reader: RecordReader;
  readonly #inputs: InputSet;
  readonly #decide: TaskFailures['refused'];
  #resumed: InputOrigin | undefined;
  #resumedCode: number | undefined;

  constructor(reader: RecordReader, inputs: InputSet, decide: TaskFailures['refused']) {
    this.#reader = reader;
    this.#inputs = inputs;
    this.#decide = decide;
  }

  origin(): InputOrigin {
    return this.#resumed ?? this.#inputs.origin();
  }

  /** From here on the turn processes what came of an earlier input record; `undefined` ends that. */
  resume(origin: InputOrigin | undefined): void {
    this.#resumed = origin;
    this.#resumedCode = origin === undefined ? undefined : this.#inputs.codeOf(origin);
  }

  /** Does work on behalf of an input that is not the record at hand. */
  during<T>(origin: InputOrigin, work: () => T): T {
    const before = this.#resumed;
    this.resume(origin);
    try {
      return work();
    } finally {
      this.resume(before);
    }
  }

  originCode(): number {
    return this.#resumedCode ?? this.#inputs.originCode();
  }

  refused(error: MillraceError, topic: string, code: number): Promise<readonly OutgoingBatch[]> {
    const from = this.#inputs.placeOf(code);
    return this.#decide(error, topic, from, async () =>
      from.offset < 0 ? undefined : this.#reader.recordAt?.(from.topic, from.partition, from.offset),
    );
  }
}
