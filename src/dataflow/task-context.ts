import type { StepMeters } from '../metrics/step-meters.ts';
import type { Headers, Lateness, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from '../state/byte-store.ts';
import type { StateHolder } from '../state/state-holder.ts';
import type { StepTime } from '../state/step-time.ts';
import type { Clock } from './clock.ts';
import type { EmittedRow } from './emitted-row.ts';
import type { GlobalRows } from './global-source.ts';
import type { NodePlace, TopicUse } from './node.ts';
import type { Outlets } from './port.ts';
import type { Stream } from './stream.ts';
import type { TaskTime } from './task-time.ts';

/** Reads records of one input topic of a task. */
export interface InputConsumer {
  readonly key: Serde<unknown> | undefined;
  readonly value: Serde<unknown>;
  /** Whether a null value means deletion and is passed on without the serde. */
  readonly tombstones: boolean;
  /** Whether it is a table's input: tables are updated before streams see a record of the same topic. */
  readonly table: boolean;
  deliver(record: StreamRecord<unknown, unknown>): void;
  /** Called as a turn when a bounded run has read everything. */
  complete(): void;
}

/** Buffers records for one output topic until the task's next flush. */
export interface Output {
  readonly topic: string;
  readonly partitions: number;
  /**
   * Appends a record. Strings are written as UTF-8.
   *
   * @param partition - −1 lets the output choose: the partitions in turn, changing with each batch.
   * @throws RecordError `ERR_RECORD_TOO_LARGE`
   */
  append(
    partition: number,
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: Headers,
  ): void;
}

/** A part of a task that follows its time, even when no record advances it. */
export interface TimeFollower {
  /** Depth of its node. Nodes above close first, because their rows still belong to windows below. */
  readonly depth: number;
  /** Called as a turn when the limit of the task's time has risen: emit whatever waited for that. */
  advance(): void;
  /** Lower bound for the timestamps of rows that wait for stream time; `Infinity` if none waits. */
  holds(): number;
  /** Called as a turn when the input is complete: emit whatever waits for more stream time. */
  closeAll(): void;
  /** Missing if nothing waits for time while no records arrive. */
  readonly idle?: IdleTime;
}

/** The time of a step while no records arrive. */
export interface IdleTime {
  readonly time: Pick<StepTime, 'streamTime' | 'idleTo'>;
  /** Stream time at which something is next due, or slightly before; `Infinity` if nothing waits. */
  due(): number;
}

/** Work of a node that must wait for records on its other inputs. */
export interface Deferred {
  /** Depth of its node. Smaller depths run first, because they feed deeper nodes. */
  readonly depth: number;
  run(): void;
}

/** A part of a task with work outside turns (mapAsync). */
export interface AsyncWorker {
  readonly step: string;
  /** Calls in progress or waiting. */
  pending(): number;
  /** Whether it cannot take another record now. */
  full(): boolean;
  /** Emits finished records in order; runs as a turn. @returns How many records were finished. */
  drain(): number;
  /** Wall-clock time before which nothing happens; `undefined` if it waits for anything besides the clock. */
  readonly nextAt?: number | undefined;
}

/** The fields of a record that say where it belongs and where it was read. */
export interface Placed {
  readonly key: unknown;
  readonly topic: string;
  readonly offset: number;
}

/** Checks whether records are in the partitions of their keys. */
export interface KeyGuard {
  /**
   * @returns How many records may pass before the next check.
   * @throws ConfigError `ERR_KEY_CHANGED`
   */
  check(record: Placed): number;
}

/** Progress counters of a task: plain numbers that operators increment. */
export interface TaskCounters {
  recordsIn: number;
  recordsOut: number;
  late: number;
  dropped: number;
  skipped: number;
  deadLettered: number;
}

/**
 * What a task offers to the node instances inside it. One task is one stage on one partition; its instances run only
 * in its turns.
 */
export interface TaskContext {
  readonly applicationId: string;
  readonly partition: number;
  readonly counters: TaskCounters;
  /** Counters of each step. */
  readonly meters: StepMeters;
  /** Whether a turn of this task is running; emissions outside a turn are an error. */
  readonly inTurn: boolean;
  readonly clock: Clock;
  /** How far the time of its steps may advance; see also `time` of a step. */
  readonly time: TaskTime;
  /** Runs what waited for the time of steps to advance; within a turn. */
  followTime(): void;
  /** Registers a function to run when the task's instances are torn down, even after a failure. */
  onTeardown(teardown: () => void): void;
  openStore(name: string): ByteStore;
  /** How many clean entries a store may keep decoded in memory. */
  readonly cacheEntries: number;
  addState(holder: StateHolder): void;
  addTimeFollower(follower: TimeFollower): void;
  addAsyncWorker(worker: AsyncWorker): void;
  /** Schedules a turn, because an asynchronous worker has something to emit. */
  wake(): void;
  /** The secondary outputs of a node. */
  outlets(node: Stream<unknown>): Outlets;
  /** Defers work until the current record has reached everything above it. */
  defer(work: Deferred): void;
  /** Runs deferred work: everything that one record caused is done before the next record. */
  settle(): void;
  /** The rows of a global table that the pipeline uses. */
  global(topic: TopicUse): GlobalRows;
  consume(topic: TopicUse, consumer: InputConsumer): void;
  /** The topics that match a pattern and have the task's partition. */
  found(pattern: TopicUse): readonly TopicUse[];
  output(topic: TopicUse): Output;
  /**
   * Handles a record that failed in a step. Applies the record policy: stops the task, or skips and counts the record,
   * with a dead letter if configured.
   */
  recordFailed(error: unknown, step: string): void;
  /** The input record that is being processed, with the row derived from it, for failures that are detected later. */
  origin(): InputOrigin;
  /** Continues the turn on behalf of an earlier input record or row; `undefined` ends that. */
  resume(origin: InputOrigin | undefined): void;
  /**
   * The row that a stateful step is emitting. The step sets it around its emission and restores the previous one
   * afterwards.
   */
  row: EmittedRow | undefined;
  /** The guard of a step that needs keys; `undefined` if there is only one partition. */
  keyGuard(place: NodePlace): KeyGuard | undefined;
  /** Reports an emission that reached `step` outside a turn. */
  emittedOutsideTurn(step: string): void;
  /** The chain ended with an error that no policy covers; the task is rebuilt from the last commit. */
  chainFailed(error: unknown, step: string): void;
  /** Counts a dropped record. */
  dropped(reason: string, step: string): void;
  /** Counts a record that was too late for some of its windows. */
  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void;
}

/** An input record as it was read, so that a dead letter can carry its original bytes. */
export interface InputOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The last offset of an unreadable batch; the value is then the whole batch. */
  readonly lastOffset?: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** The row of a stateful step, if that is what is actually being processed. */
  readonly row?: EmittedRow | undefined;
}
