import type { EmittedRow } from '../../dataflow/emitted-row.ts';
import type { InputOrigin, TaskContext } from '../../dataflow/task-context.ts';
import type { MillraceError } from '../../errors.ts';
import type { OriginSource, OutputOrigin } from '../../log/origins.ts';
import type { OutgoingBatch, RecordOwner } from '../../log/transport.ts';
import type { InputSet } from './input-set.ts';
import type { TaskFailures } from './task-failures.ts';

export interface RecordReader {
  /** Reads an input record again; `undefined` if it is gone. */
  recordAt?(topic: string, partition: number, offset: number): Promise<InputOrigin | undefined>;
}

/** See `TaskContext.row`. */
type Emitting = Pick<TaskContext, 'row'>;

/** Knows which input record or row is being processed, and handles outputs of it that the log refuses. */
export class TaskOrigins implements RecordOwner, OriginSource {
  readonly #reader: RecordReader;
  readonly #task: Emitting;
  readonly #inputs: InputSet;
  readonly #decide: TaskFailures['refused'];
  #resumed: InputOrigin | undefined;
  #resumedCode: number | undefined;

  constructor(reader: RecordReader, task: Emitting, inputs: InputSet, decide: TaskFailures['refused']) {
    this.#reader = reader;
    this.#task = task;
    this.#inputs = inputs;
    this.#decide = decide;
  }

  origin(): InputOrigin {
    const origin = this.#resumed ?? this.#inputs.origin();
    const { row } = this.#task;
    return origin.row === row ? origin : { ...origin, row };
  }

  /** Continues the turn on behalf of an earlier input record; `undefined` ends that. */
  resume(origin: InputOrigin | undefined): void {
    this.#task.row = origin?.row;
    this.#resumed = origin;
    this.#resumedCode = origin === undefined ? undefined : this.#inputs.codeOf(origin);
  }

  /** Runs work on behalf of an input other than the current record. */
  during<T>(origin: InputOrigin, work: () => T): T {
    const { row } = this.#task;
    const before = this.#resumed;
    this.resume(origin);
    try {
      return work();
    } finally {
      this.resume(before);
      this.#task.row = row;
    }
  }

  get row(): EmittedRow | undefined {
    return this.#task.row;
  }

  originCode(): number {
    return this.#resumedCode ?? this.#inputs.originCode();
  }

  refused(error: MillraceError, topic: string, origin?: OutputOrigin): Promise<readonly OutgoingBatch[]> {
    const from = { ...this.#inputs.placeOf(origin?.code ?? -1), row: origin?.row };
    return this.#decide(error, topic, from, async () =>
      from.offset < 0 ? undefined : this.#reader.recordAt?.(from.topic, from.partition, from.offset),
    );
  }
}
