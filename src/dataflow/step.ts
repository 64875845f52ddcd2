import type { StepMeter } from '../metrics/step-meters.ts';
import type { Lateness, StreamRecord, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { type EmittedRow, EmittedValue, type KeptRow } from './emitted-row.ts';
import { failedIn } from './input-subscriber.ts';
import type { NodePlace } from './node.ts';
import type { Outlet } from './port.ts';
import type { Emit, Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** What a step works with in one task: its outputs, and what it may ask of the task. */
export class Step<Out> {
  /** As messages call it: `windowBy(clicks-per-minute)`. */
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

  /** Serde of the keys that reach the step; `undefined` where there are none, or new ones. */
  get keySerde(): Serde<unknown> | undefined {
    return this.place.keySerde;
  }

  /** An output beside the main one, by its name. */
  port<T>(name: string): Outlet<T> {
    return this.task.outlets(this.#node).get<T>(name);
  }

  /**
   * Emits a row that a store has kept and that is due now, such as that of a closed window. It is not the record under way: its
   * key is not a changed one, and what fails below is this row.
   *
   * @param to - The main output when left out, else a port.
   */
  emitRow<T = Out>(key: NonNullable<unknown>, row: T, to: Emit<T> = this.out as Emit<never>): void {
    const { timestamp, value, window } = row as { readonly window?: Window } & StreamRecord<unknown, unknown>;
    this.#emit(row, new EmittedValue(this, key, value, timestamp, window), to);
  }

  /** Emits a row about the record under way, which is in the step's state already. */
  emitUpdate<T = Out>(row: T, to: Emit<T> = this.out as Emit<never>): void {
    // Where the record under way is a row itself, that is what fails below.
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

  /** A row could not be made; the rest of what is done for the record under way must not be lost with it. */
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

  /** Leaves out the record under way, and counts it. */
  drop(reason: string): void {
    this.meter.dropped += 1;
    this.task.dropped(reason, this.name);
  }

  /** Counts a record that came too late, and tells whoever listens. */
  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void {
    this.meter.late += Math.max(1, lateness.missed.length);
    this.task.late(record, lateness);
  }

  /** Something failed that belongs to the record under way but must not keep the rest of it from being done. */
  failed(error: unknown): void {
    failedIn(this.name, this.meter, this.task, error);
  }
}
