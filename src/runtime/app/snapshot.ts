import type { ErrorClass, MillraceError } from '../../errors.ts';
import type { Transport } from '../../log/transport.ts';
import type { TimingsSnapshot } from '../../metrics/app-meters.ts';
import type { StoreSnapshot } from '../../state/state-holder.ts';
import type { Task } from '../task/task.ts';
import type { GlobalTableSnapshot } from './global-rows.ts';
import type { StepSnapshot } from './step-snapshots.ts';

/** The state of an application. @public */
export type AppState = 'starting' | 'running' | 'stopping' | 'stopped' | 'failed';

/** A snapshot of an input partition of a task. @public */
export interface InputSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the next record to process. */
  readonly position: number;
  /** Offset after the last readable record; `undefined` while unknown. */
  readonly end: number | undefined;
  /** `end − position`: waiting records. */
  readonly lag: number | undefined;
  /**
   * How far the newest processed record is behind the wall clock while others wait, in ms: 0 if none waits, `undefined`
   * while unknown.
   */
  readonly lagMs: number | undefined;
  /** Highest timestamp processed since the start; −1 before the first. */
  readonly streamTime: number;
}

/** A snapshot of a task. @public */
export interface TaskSnapshot {
  /** `stage/partition` */
  readonly id: string;
  readonly stage: string;
  readonly partition: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  /** Number of late (record, window) pairs. */
  readonly late: number;
  /** Records dropped for a null key or value. */
  readonly dropped: number;
  /** Records skipped by the policy `skip`. */
  readonly skipped: number;
  readonly deadLettered: number;
  readonly streamTime: number | undefined;
  readonly lag: number | undefined;
  readonly openWindows: number;
  /** Asynchronous calls in progress. */
  readonly pendingAsync: number;
  /** Wall time spent in turns, in ms. */
  readonly turnMs: number;
  readonly inputs: readonly InputSnapshot[];
  readonly stores: readonly StoreSnapshot[];
  readonly waitingFor: string | undefined;
}

/** The error that ended an application, or after which its tasks were rebuilt; plain data. @public */
export interface ErrorSnapshot {
  readonly code: string;
  readonly errorClass: ErrorClass;
  /** What happened, where, and what to do. */
  readonly message: string;
  readonly stage: string | undefined;
  readonly step: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly offset: number | undefined;
}

/** A snapshot of an application. @public */
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
  /** Waiting records of all inputs; `undefined` while unknown. */
  readonly lag: number | undefined;
  /** The highest stream time of all tasks; `undefined` before the first record. */
  readonly streamTime: number | undefined;
  readonly openWindows: number;
  readonly commits: number;
  /** Wall time since the last commit, in ms; `undefined` before the first. */
  readonly lastCommitAgeMs: number | undefined;
  /** How often the tasks were rebuilt from the last commit. */
  readonly restarts: number;
  /** The error that ended the application, or after which its tasks were last rebuilt. */
  readonly error: ErrorSnapshot | undefined;
  /**
   * Descriptions of what keeps the application from progressing. Empty if nothing does, or if there is nothing to do.
   */
  readonly waitingFor: readonly string[];
  readonly tasks: readonly TaskSnapshot[];
  /** Counts of the steps in this process since the application was started. */
  readonly steps: readonly StepSnapshot[];
  readonly timings: TimingsSnapshot;
  readonly globalTables: readonly GlobalTableSnapshot[];
}

type EndOffset = (topic: string, partition: number) => number | undefined;

export function snapshotTask(task: Task, endOffset: EndOffset): TaskSnapshot {
  const { counters, id, partition, stage, turnMs } = task;
  const now = task.clock.now();
  const inputs = task.inputs.map(({ position, streamTime, use }): InputSnapshot => {
    const end = endOffset(use.name, partition);
    const lag = end === undefined ? undefined : Math.max(0, end - position);
    const lagMs = lag === 0 ? 0 : lag === undefined || streamTime < 0 ? undefined : Math.max(0, now - streamTime);
    return { topic: use.name, partition, position, end, lag, lagMs, streamTime };
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

/** The tasks of an engine, in the order in which they were built. */
export function snapshotTasks(
  engine: { readonly tasks: ReadonlyMap<string, Task>; endOffset: EndOffset } | undefined,
): TaskSnapshot[] | undefined {
  if (engine === undefined) return undefined;
  return Array.from(engine.tasks.values(), (task) => snapshotTask(task, (...place) => engine.endOffset(...place)));
}

/** Where the log is, and its guarantees. */
export function logSnapshot(
  log: Pick<Transport, 'kind' | 'location' | 'capabilities'> | undefined,
): Pick<AppSnapshot, 'kind' | 'location' | 'guarantee'> {
  return {
    kind: log?.kind ?? 'unknown',
    location: log?.location ?? 'unknown',
    guarantee: log?.capabilities.atomicCommit === false ? 'at-least-once' : 'exactly-once',
  };
}

/** An error as plain data. */
export function describeError(error: MillraceError | undefined): ErrorSnapshot | undefined {
  if (error === undefined) return undefined;
  const { code, errorClass, message, offset, partition, stage, step, topic } = error;
  return { code, errorClass, message, stage, step, topic, partition, offset };
}

/** Combines the snapshots of tasks with the values that are not sums. */
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
