import { type EmittedRow, FORGOTTEN_ROW } from '../../dataflow/emitted-row.ts';
import type { MillraceError } from '../../errors.ts';
import type { OriginSource, OutputOrigin } from '../../log/origins.ts';
import { OutputBuffers, type OutputTopic } from '../../log/outputs.ts';
import type { OutgoingBatch, RecordOwner } from '../../log/transport.ts';

type Writer = RecordOwner & OriginSource;

/** More tasks than a process has. */
const SEATS = 2 ** 14;
/** Numbers of input records have 39 bits beside the seat. */
const CODES = 2 ** 39;

/**
 * What all tasks of a process have written since their last commit, in the order in which they wrote it: readers of a
 * partition see time go on as tasks take their turns, and not one task after the other.
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

  /** Somebody who writes. @returns its seat */
  join(writer: Writer): number {
    return this.#writers.join(writer);
  }

  /** From here on it is the one at this seat who writes. */
  enter(seat: number): void {
    this.#writers.current = seat;
  }

  /** Gives a seat back. What was written from it and not taken is given up. */
  leave(seat: number): void {
    this.discard((code) => this.#writers.seatOf(code) === seat);
    this.#writers.leave(seat);
  }
}

/** Those who write, each answering for its own records. */
class Writers implements RecordOwner, OriginSource {
  readonly #writers: (Writer | undefined)[] = [];
  /** Seats that were given back, the one first that was longest ago. */
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
   * The number of the input record together with the seat of its task. An offset of hundreds of billions leaves no room, and
   * then it is not known which record it was; whose it was is always known.
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
    // Its task is gone, and so is the commit that this belongs to.
    if (writer === undefined || origin === undefined) throw error;
    return writer.refused(error, topic, { code: Math.floor(origin.code / SEATS) - 1, row: origin.row });
  }
}
