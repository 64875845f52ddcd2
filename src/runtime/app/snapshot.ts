import type { ErrorClass, MillraceError } from '../../errors.ts';
import type { StoreSnapshot } from '../../state/state-holder.ts';
import type { Task } from '../task/task.ts';
import type { GlobalTableSnapshot } from './global-rows.ts';

/** Where an application stands. @public */
export type AppState = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';

/** One input partition of a task at one moment. @public */
export interface InputSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to process. */
  readonly position: number;
  /** Offset after the last readable record; `undefined` while unknown. */
  readonly end: number | undefined;
  /** `end − position`: records that wait. */
  readonly lag: number | undefined;
  /** Highest timestamp processed since the start; −1 before the first. */
  readonly streamTime: number;
}

/** One task at one moment. @public */
export interface TaskSnapshot {
  /** `stage/partition` */
  readonly id: string;
  readonly stage: string;
  readonly partition: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** (record, window) pairs that came too late. */
  readonly late: number;
  /** Records dropped for a null key or value. */
  readonly dropped: number;
  /** Records left out by the policy `skip`. */
  readonly skipped: number;
  readonly deadLettered: number;
  readonly streamTime: number | undefined;
  readonly lag: number | undefined;
  readonly openWindows: number;
  /** Asynchronous calls under way. */
  readonly pendingAsync: number;
  /** Wall time spent in turns, in ms. */
  readonly turnMs: number;
  readonly inputs: readonly InputSnapshot[];
  readonly stores: readonly StoreSnapshot[];
  readonly waitingFor: string | undefined;
}

/** What ended an application, or what its tasks were rebuilt after; plain data. @public */
export interface ErrorSnapshot {
  readonly code: string;
  readonly errorClass: ErrorClass;
  /** What, where and what to do. */
  readonly message: string;
  readonly stage: string | undefined;
  readonly step: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
}

/** An application at one moment. @public */
export interface AppSnapshot {
  readonly applicationId: string;
  readonly state: AppState;
  /** `memory`, `embedded` or `kafka`. */
  readonly kind: string;
  /** The folder or the brokers. */
  readonly location: string;
  readonly guarantee: 'exactly-once' | 'at-least-once';
  readonly uptimeMs: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly late: number;
  readonly dropped: number;
  /** Records that failed: skipped, sent to a dead-letter topic, or the one that ended the application. */
  readonly errors: number;
  /** Records that wait in all inputs; `undefined` while unknown. */
  readonly lag: number | undefined;
  /** The highest stream time of all tasks; `undefined` before the first record. */
  readonly streamTime: number | undefined;
  readonly openWindows: number;
  readonly commits: number;
  /** Wall time since the last commit, in ms; `undefined` before the first. */
  readonly lastCommitAgeMs: number | undefined;
  /** Times that the tasks were rebuilt from the last commit. */
  readonly restarts: number;
  /** What ended the application, or what its tasks were last rebuilt after. */
  readonly error: ErrorSnapshot | undefined;
  /** What keeps the application from progressing, in words. Empty when nothing does, or when there is nothing to do. */
  readonly waitingFor: readonly string[];
  readonly tasks: readonly TaskSnapshot[];
  readonly globalTables: readonly GlobalTableSnapshot[];
}

export function snapshotTask(
  task: Task,
  endOffset: (topic: string, partition: number) => number | undefined,
): TaskSnapshot {
  const { counters, id, partition, stage, turnMs } = task;
  const inputs = task.inputs.map(({ position, streamTime, use }): InputSnapshot => {
    const end = endOffset(use.name, partition);
    const lag = end === undefined ? undefined : Math.max(0, end - position);
    return { topic: use.name, partition, position, end, lag, streamTime };
  });
  const stores = task.stores.map((store) => store.describe());
  return {
    id,
    stage: stage.name,
    partition,
    ...counters,
    streamTime: highest(inputs.map(({ streamTime }) => streamTime)),
    lag: total(inputs.map(({ lag }) => lag)),
    openWindows: stores.reduce((sum, { openWindows = 0 }) => sum + openWindows, 0),
    pendingAsync: task.pendingAsync(),
    turnMs,
    inputs,
    stores,
    waitingFor: task.waitingFor() ?? task.reach.heldBack(),
  };
}

/** An error as plain data. */
export function describeError(error: MillraceError | undefined): ErrorSnapshot | undefined {
  if (error === undefined) return undefined;
  const { code, errorClass, message, offset, partition, stage, step, topic } = error;
  return { code, errorClass, message, stage, step, topic, partition, offset };
}

/** Sums up tasks; what has no sum is given. */
export function snapshotApp(
  rest: Omit<
    AppSnapshot,
    'recordsIn' | 'recordsOut' | 'late' | 'dropped' | 'errors' | 'lag' | 'streamTime' | 'openWindows'
  >,
): AppSnapshot {
  const { globalTables, tasks } = rest;
  const sum = (field: (task: TaskSnapshot) => number): number => tasks.reduce((all, task) => all + field(task), 0);
  return {
    ...rest,
    recordsIn: sum(({ recordsIn }) => recordsIn),
    recordsOut: sum(({ recordsOut }) => recordsOut),
    late: sum(({ late }) => late),
    dropped: sum(({ dropped }) => dropped) + globalTables.reduce((all, { dropped }) => all + dropped, 0),
    errors:
      [...tasks, ...globalTables].reduce((all, each) => all + each.skipped + each.deadLettered, 0) +
      (rest.error?.errorClass === 'record' ? 1 : 0),
    lag: tasks.length === 0 ? undefined : total(tasks.map(({ lag }) => lag)),
    streamTime: highest(tasks.map(({ streamTime }) => streamTime ?? -1)),
    openWindows: sum(({ openWindows }) => openWindows),
  };
}

function total(values: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}

function highest(values: readonly number[]): number | undefined {
  const top = Math.max(-1, ...values);
  return top < 0 ? undefined : top;
}
