import type { Clock } from '../../dataflow/clock.ts';
import type { GlobalRows } from '../../dataflow/global-source.ts';
import type { Logger } from '../../log/logger.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import type { StoreTrail } from '../../log/store-trail.ts';
import type { CommittedOffset, OutgoingBatch } from '../../log/transport.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Topology } from '../../plan/topology.ts';
import type { Lateness, StreamRecord } from '../../record.ts';
import type { StoreBackend, StoreWrites } from '../../state/byte-store.ts';
import type { CacheBudget } from '../../state/cache-budget.ts';
import type { InputFeed } from './input-set.ts';
import type { SharedOutputs } from './shared-outputs.ts';
import type { ShuffleTime } from './shuffle-time.ts';
import type { KnownTopics } from './state-positions.ts';
import type { RecordReader } from './task-origins.ts';

/** What a task needs from its host: an application or a test driver. */
export interface TaskHost extends InputFeed, RecordReader {
  readonly applicationId: string;
  readonly topology: Topology;
  readonly stores: StoreBackend;
  readonly clock: Clock;
  readonly cacheEntries: number;
  /** The memory budget of all stores of the process. */
  readonly cacheBudget?: CacheBudget;
  readonly onRecordError: RecordPolicy;
  /** How far in the future a record's timestamp may be, in ms of wall-clock time. */
  readonly maxFutureMs: number;
  readonly logger?: Logger;
  /** The topics with their ids, if the log provides them. */
  readonly inputTopics?: KnownTopics;
  /** Rows of a global table, loaded before the task is built. */
  globalRows(topic: string): GlobalRows;
  /** The outputs shared by all tasks of a process. Without it, the task keeps its own outputs until they are taken. */
  readonly outputs?: SharedOutputs;
  /** The progress of the tasks that write the task's inputs; missing if no shuffle feeds it. */
  readonly time?: ShuffleTime | undefined;
  /** Whether the records written to a topic determine the announced progress; see `ShuffleWriter`. */
  readonly followsWritten?: (topic: string) => boolean;
  /** Whether the task announces its progress to readers of its output. */
  readonly speaks?: boolean;
  /** Where the records of each input go, to commit with its offsets. */
  readonly trails?: ReadonlyMap<string, StoreTrail> | undefined;
  /** Partitions and limits of an output topic, known before the task is built. */
  outputTopic(name: string): OutputTopic;
  /** Partitions of an input topic. */
  inputPartitions(name: string): number;
  /** Called with each late record. */
  late?(record: StreamRecord<unknown, unknown>, lateness: Lateness, stage: Stage): void;
  /** Called when something happened outside a turn: the task needs one, or has failed. */
  wake(): void;
}

/** The work of a task since its last commit. */
export interface TaskProgress {
  /** Empty if tasks share their outputs. */
  readonly outputs: OutgoingBatch[];
  readonly state: StoreWrites[];
  readonly offsets: CommittedOffset[];
  /** Timestamps of the newest records that the offsets cover. */
  readonly newest: readonly number[];
}
