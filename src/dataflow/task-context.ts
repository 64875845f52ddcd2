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
  /** A null value means deletion: hand it over without asking the serde. */
  readonly tombstones: boolean;
  /** Tables are brought up to date before streams see a record of the same topic. */
  readonly table: boolean;
  deliver(record: StreamRecord<unknown, unknown>): void;
  /** A bounded run has read everything; runs as a turn. */
  complete(): void;
}

/** Buffers records for one output topic until the task's next flush. */
export interface Output {
  readonly topic: string;
  readonly partitions: number;
  /**
   * Appends a record. Texts are written as UTF-8.
   *
   * @param partition - −1 lets the output choose: one partition after the other, changing with each batch.
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

/** A part of a task that follows its time, also where no record moves it. */
export interface TimeFollower {
  /** That of its node: what lies above closes first, for its rows still belong to the windows below. */
  readonly depth: number;
  /** The limit of the task's time has risen: emit whatever waited for that. Runs as a turn. */
  advance(): void;
  /** No row that waits for stream time is older than this; `Infinity` where none waits. */
  holds(): number;
  /** The input is complete: emit whatever waits for more stream time. Runs as a turn. */
  closeAll(): void;
  /** Left out where nothing waits for time while no records come. */
  readonly idle?: IdleTime;
}

/** The time of a step, for when no records come. */
export interface IdleTime {
  readonly time: Pick<StepTime, 'streamTime' | 'idleTo'>;
  /** Stream time at which something is due next, or a little before; `Infinity` where nothing waits. */
  due(): number;
}

/** Work of a node that has to wait for what comes its other ways. */
export interface Deferred {
  /** That of its node: what is less deep goes first, for it feeds what is deeper. */
  readonly depth: number;
  run(): void;
}

/** A part of a task with work under way outside of turns (mapAsync). */
export interface AsyncWorker {
  readonly step: string;
  /** Calls under way or waiting for their turn. */
  pending(): number;
  /** Whether it cannot take another record now. */
  full(): boolean;
  /** Emits what is finished, in order; runs as a turn. @returns Records that were finished. */
  drain(): number;
  /** Wall-clock time before which nothing goes on; `undefined` where something else than the clock is waited for too. */
  readonly nextAt?: number | undefined;
}

/** What says of a record where it belongs, and where it was read. */
export interface Placed {
  readonly key: unknown;
  readonly topic: string;
  readonly offset: number;
}

/** Looks whether records lie where their keys belong. */
export interface KeyGuard {
  /**
   * @returns How many records may pass before the next look.
   * @throws ConfigError `ERR_KEY_CHANGED`
   */
  check(record: Placed): number;
}

/** Progress counters of a task. Plain numbers that operators raise. */
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
  /** Count what happens in each step. */
  readonly meters: StepMeters;
  /** Whether a turn of this task runs now; emissions outside of one are an error. */
  readonly inTurn: boolean;
  readonly clock: Clock;
  /** How far the time of its steps may go. */
  readonly time: TaskTime;
  /** Runs when the task's instances are taken down, after a failure too. */
  onTeardown(teardown: () => void): void;
  openStore(name: string): ByteStore;
  /** Entries that a store may keep decoded in memory when they are clean. */
  readonly cacheEntries: number;
  addState(holder: StateHolder): void;
  addTimeFollower(follower: TimeFollower): void;
  addAsyncWorker(worker: AsyncWorker): void;
  /** An asynchronous worker has something to emit: schedule a turn. */
  wake(): void;
  /** The outputs of a node beside its main one. */
  outlets(node: Stream<unknown>): Outlets;
  /** Work that waits until the record under way has reached everything above it. */
  defer(work: Deferred): void;
  /** Does what was deferred: whatever came of one record is done before the next one. */
  settle(): void;
  /** The rows of a global table that the pipeline looks into. */
  global(topic: TopicUse): GlobalRows;
  consume(topic: TopicUse, consumer: InputConsumer): void;
  /** The topics that a pattern stands for, as far as they have the task's partition. */
  found(pattern: TopicUse): readonly TopicUse[];
  output(topic: TopicUse): Output;
  /**
   * A record failed in a step's own code. Applies the record policy: stops the task, or leaves the record out (counted,
   * with a dead letter where asked).
   */
  recordFailed(error: unknown, step: string): void;
  /** The input record that is being processed, with the row that came of it, for failures that show later. */
  origin(): InputOrigin;
  /** From here on the turn processes what came of an earlier input record, or row; `undefined` ends that. */
  resume(origin: InputOrigin | undefined): void;
  /** The row that a stateful step emits now. Set by the step around its emission; the one above it is put back after. */
  row: EmittedRow | undefined;
  /** For a step that needs keys; `undefined` where there is but one partition. */
  keyGuard(place: NodePlace): KeyGuard | undefined;
  /** An emission reached `step` outside of a turn. */
  emittedOutsideTurn(step: string): void;
  /** The chain ended with an error that no policy covers: the task is rebuilt from the last commit. */
  chainFailed(error: unknown, step: string): void;
  /** A record was left out, which is counted. */
  dropped(reason: string, step: string): void;
  /** A record came too late for some of its windows. */
  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void;
}

/** An input record as it was read, so that a dead letter can carry its bytes untouched. */
export interface InputOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The last offset of a batch that cannot be read; then the value is the whole batch. */
  readonly lastOffset?: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** What a stateful step made while the record was processed, and what is really at hand. */
  readonly row?: EmittedRow | undefined;
}
