import type { Clock } from '../../dataflow/clock.ts';
import type { GlobalRows } from '../../dataflow/global-source.ts';
import type { Logger } from '../../log/logger.ts';
import type { OutputTopic } from '../../log/outputs.ts';
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

/** What a task gets from whoever runs it: an application, or a test driver. */
export interface TaskHost extends InputFeed, RecordReader {
  readonly applicationId: string;
  readonly topology: Topology;
  readonly stores: StoreBackend;
  readonly clock: Clock;
  readonly cacheEntries: number;
  /** What all stores of the process may keep in memory. */
  readonly cacheBudget?: CacheBudget;
  readonly onRecordError: RecordPolicy;
  /** How far in the future a record's timestamp may lie, in ms of wall-clock time. */
  readonly maxFutureMs: number;
  readonly logger?: Logger;
  /** The topics, where the log tells them from others that had their names before. */
  readonly inputTopics?: KnownTopics;
  /** Rows of a global table, loaded before the task is made. */
  globalRows(topic: string): GlobalRows;
  /** What all tasks of a process write to; left out, the task keeps what it writes until it is taken. */
  readonly outputs?: SharedOutputs;
  /** How far the tasks are that write what the task reads; left out where no shuffle feeds it. */
  readonly time?: ShuffleTime | undefined;
  /** Whether what is written to a topic says how far the task is; see `ShuffleWriter`. */
  readonly followsWritten?: (topic: string) => boolean;
  /** Whether those who read what the task writes hear how far it is. */
  readonly speaks?: boolean;
  /** Partitions and limits of an output topic; known before the task is made. */
  outputTopic(name: string): OutputTopic;
  /** Partitions of an input topic. */
  inputPartitions(name: string): number;
  /** Sees each late record. */
  late?(record: StreamRecord<unknown, unknown>, lateness: Lateness, stage: Stage): void;
  /** Something happened outside a turn: the task wants one, or has failed. */
  wake(): void;
}

/** What a task has done since its last commit. */
export interface TaskProgress {
  /** None where tasks share their outputs. */
  readonly outputs: OutgoingBatch[];
  readonly state: StoreWrites[];
  readonly offsets: CommittedOffset[];
  /** Timestamps of the newest records that the offsets cover. */
  readonly newest: readonly number[];
}
