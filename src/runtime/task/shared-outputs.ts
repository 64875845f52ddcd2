import { type EmittedRow, FORGOTTEN_ROW } from '../../dataflow/emitted-row.ts';
import type { MillraceError } from '../../errors.ts';
import type { OriginSource, OutputOrigin } from '../../log/origins.ts';
import { OutputBuffers, type OutputTopic } from '../../log/outputs.ts';
import type { OutgoingBatch, RecordOwner } from '../../log/transport.ts';

type Writer = RecordOwner & OriginSource;

/** More than the number of tasks in any process. */
const SEATS = 2 ** 14;
/** Codes of input records have 39 bits besides the seat. */
const CODES = 2 ** 39;

/**
 * The outputs of all tasks of a process since their last commit, in the order in which they were written: readers of a
 * partition see time advance as tasks take turns, and not task by task.
 */
export class SharedOutputs extends OutputBuffers {
  readonly #writers: Writers;

  /**
   * @param rows - Whether rows are remembered with what came of them until that is committed: a log may refuse it. One that
   * refuses no more than what is too large, and holds all of a commit or nothing, does so only where the limit of a topic was
   * lowered since it was looked up. Then all is done again, with the new limit, and each row is refused as it is written.
   */
  constructor(lookUp: (topic: string) => OutputTopic, rows = true) {
    const writers = new Writers(rows);
    super(lookUp, writers);
    this.#writers = writers;
  }

  /** Adds a writer. @returns its seat */
  join(writer: Writer): number {
    return this.#writers.join(writer);
  }

  /** Makes the writer at this seat the current one. */
  enter(seat: number): void {
    this.#writers.current = seat;
  }

  /** Returns a seat. Its outputs that were not taken are discarded. */
  leave(seat: number): void {
    this.discard((code) => this.#writers.seatOf(code) === seat);
    this.#writers.leave(seat);
  }
}

/** The writers, each responsible for its own records. */
class Writers implements RecordOwner, OriginSource {
  readonly #writers: (Writer | undefined)[] = [];
  /** Free seats, the least recently returned first. */
  readonly #free: number[] = [];
  current = -1;
  readonly #rows: boolean;

  /** @param rows - Whether rows that were kept are remembered. */
  constructor(rows: boolean) {
    this.#rows = rows;
  }

  join(writer: Writer): number {
    const seat = this.#writers.length < SEATS ? this.#writers.length : (this.#free.shift() as number);
    this.#writers[seat] = writer;
    return seat;
  }

  leave(seat: number): void {
    this.#writers[seat] = undefined;
    this.#free.push(seat);
  }

  /**
   * The code of the input record, combined with the seat of its task. With an offset of hundreds of billions there is
   * no room for the record code; the task is always known.
   */
  originCode(): number {
    const code = (this.#writers[this.current] as Writer).originCode() + 1;
    return (code < CODES ? code : 0) * SEATS + this.current;
  }

  seatOf(code: number): number {
    return code % SEATS;
  }

  get row(): EmittedRow | undefined {
    const row = this.#writers[this.current]?.row;
    return this.#rows || row?.kept === undefined ? row : FORGOTTEN_ROW;
  }

  async refused(error: MillraceError, topic: string, origin?: OutputOrigin): Promise<readonly OutgoingBatch[]> {
    const writer = this.#writers[this.seatOf(origin?.code ?? -1)];
    // Its task is gone, and so is the commit of this record.
    if (writer === undefined || origin === undefined) throw error;
    return writer.refused(error, topic, { code: Math.floor(origin.code / SEATS) - 1, row: origin.row });
  }
}
