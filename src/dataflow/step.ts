import type { StepMeter } from '../metrics/step-meters.ts';
import type { Lateness, StreamRecord, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { type EmittedRow, EmittedValue, type KeptRow } from './emitted-row.ts';
import { failedIn } from './input-subscriber.ts';
import type { NodePlace } from './node.ts';
import type { Outlet } from './port.ts';
import type { Emit, Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';
import type { TaskTime } from './task-time.ts';

/** The context of a step in one task: its outputs, and what it may ask the task to do. */
export class Step<Out> {
  /** Name in messages: `windowBy(clicks-per-minute)`. */
  readonly name: string;
  readonly place: NodePlace;
  readonly task: TaskContext;
  /** The main output. */
  readonly out: Emit<Out>;
  readonly #node: Stream<Out>;
  readonly #update: EmittedRow;
  /** Counts what happens in the step. */
  readonly meter: StepMeter;

  constructor(node: Stream<Out>, out: Emit<Out>, task: TaskContext, place: NodePlace, meter: StepMeter) {
    this.name = place.step;
    this.place = place;
    this.task = task;
    this.out = out;
    this.#node = node;
    this.meter = meter;
    this.#update = { step: place.step };
  }

  /** Serde of the keys that reach the step; `undefined` without keys or with changed ones. */
  get keySerde(): Serde<unknown> | undefined {
    return this.place.keySerde;
  }

  /** How far the time of the step may advance. */
  get time(): TaskTime {
    return this.place.time ?? this.task.time;
  }

  /** A secondary output, by its name. */
  port<T>(name: string): Outlet<T> {
    return this.task.outlets(this.#node).get<T>(name);
  }

  /**
   * Emits a stored row that is due now, such as that of a closed window. It is independent of the current record: its
   * key counts as unchanged, and if a step below fails, this row fails.
   *
   * @param to - A port (default: the main output).
   */
  emitRow<T = Out>(key: NonNullable<unknown>, row: T, to: Emit<T> = this.out as Emit<never>): void {
    const { timestamp, value, window } = row as { readonly window?: Window } & StreamRecord<unknown, unknown>;
    this.#emit(row, new EmittedValue(this, key, value, timestamp, window), to);
  }

  /** Emits a row for the current record, which is already part of the step's state. */
  emitUpdate<T = Out>(row: T, to: Emit<T> = this.out as Emit<never>): void {
    // If the current record is itself a row, failures below belong to that row.
    this.#emit(row, this.task.row ?? this.#update, to);
  }

  #emit<T>(row: T, as: EmittedRow, to: Emit<T>): void {
    const { task } = this;
    const outer = task.row;
    task.row = as;
    try {
      to.next(row);
    } finally {
      task.row = outer;
    }
  }

  /** Reports a row that could not be made, without losing the rest of the work for the current record. */
  rowFailed(error: unknown, kept?: KeptRow): void {
    const { task } = this;
    const outer = task.row;
    task.row = kept === undefined ? (outer ?? this.#update) : { step: this.name, kept };
    try {
      this.failed(error);
    } finally {
      task.row = outer;
    }
  }

  /** Drops the current record and counts it. */
  drop(reason: string): void {
    this.meter.dropped += 1;
    this.task.dropped(reason, this.name);
  }

  /** Counts a late record and emits it to `late`. */
  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void {
    this.meter.late += Math.max(1, lateness.missed.length);
    this.task.late(record, lateness);
  }

  /** Reports a failure that belongs to the current record but must not prevent the rest of its work. */
  failed(error: unknown): void {
    failedIn(this.name, this.meter, this.task, error);
  }
}
