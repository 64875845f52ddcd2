import type { Lateness, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { NodePlace } from './node.ts';
import type { Outlet } from './port.ts';
import type { Emit, Stream } from './stream.ts';
import type { DropReason, TaskContext } from './task-context.ts';

/** What a step works with in one task: its outputs, and what it may ask of the task. */
export class Step<Out> {
  /** As messages call it: `windowBy(clicks-per-minute)`. */
  readonly name: string;
  readonly place: NodePlace;
  readonly task: TaskContext;
  /** The main output. */
  readonly out: Emit<Out>;
  readonly #node: Stream<Out>;

  constructor(node: Stream<Out>, out: Emit<Out>, task: TaskContext, place: NodePlace) {
    this.name = place.step;
    this.place = place;
    this.task = task;
    this.out = out;
    this.#node = node;
  }

  /** Serde of the keys that reach the step; `undefined` where there are none, or new ones. */
  get keySerde(): Serde<unknown> | undefined {
    return this.place.keySerde;
  }

  /** An output beside the main one, by its name. */
  port<T>(name: string): Outlet<T> {
    return this.task.outlets(this.#node).get<T>(name);
  }

  /** Emits a row that a store has kept, whose key need not be that of the record under way: a closed window. */
  emitRow(key: unknown, row: Out): void {
    const { task } = this;
    // A step below must not take the key of this row for a changed one.
    const outer = task.rowKey;
    task.rowKey = key;
    try {
      this.out.next(row);
    } finally {
      task.rowKey = outer;
    }
  }

  /** Leaves out the record under way, and counts it. */
  drop(reason: DropReason): void {
    this.task.dropped(reason, this.name);
  }

  /** Counts a record that came too late, and tells whoever listens. */
  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void {
    this.task.late(record, lateness);
  }

  /** Something failed that belongs to the record under way but must not keep the rest of it from being done. */
  failed(error: unknown): void {
    this.task.recordFailed(error, this.name);
  }
}
