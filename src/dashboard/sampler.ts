import type { ProcessSnapshot } from '../runtime/app/process-watch.ts';
import type { AppSnapshot, InputSnapshot, TaskSnapshot } from '../runtime/app/snapshot.ts';
import type { StepSnapshot } from '../runtime/app/step-snapshots.ts';
import type { StoreSnapshot } from '../state/state-holder.ts';
import type { Live, LivePoint, LiveSource, LiveStage, LiveStep, LiveStore, StageState } from './live-data.ts';

/** How many points are kept: a quarter of an hour. */
const MAX_POINTS = 900;
/** A stage with waiting records that has read none for this long is stalled, in ms. */
const STALLED_MS = 3000;

/** Converts snapshots into the data of the page: rates by comparison with the previous snapshot, and states. */
export class Sampler {
  readonly history: LivePoint[] = [];
  #before: { readonly at: number; readonly app: AppSnapshot } | undefined;
  /** Monotonic time at which a stage last took a record, by its name. */
  readonly #moved = new Map<string, { readonly recordsIn: number; readonly at: number }>();

  /** @param at - Monotonic, in ms. */
  next(app: AppSnapshot, now: number, at: number, process: ProcessSnapshot | undefined): Live {
    const seconds = this.#before === undefined ? 0 : (at - this.#before.at) / 1000;
    const before = this.#before?.app;
    const steps = stepsOf(app.steps, before?.steps, seconds);
    const point = pointOf(app, before, seconds, now, process);
    this.history.push(point);
    if (this.history.length > MAX_POINTS) this.history.shift();
    const live = {
      now,
      app: { ...withoutParts(app), deadLettered: app.tasks.reduce((sum, task) => sum + task.deadLettered, 0) },
      point,
      stages: this.#stages(app, before, seconds, at),
      steps,
      sources: sourcesOf(app.tasks, before?.tasks, seconds),
      stores: storesOf(app),
      globals: app.globalTables.map(({ name, rows }) => ({ name, rows })),
      timings: app.timings,
      process,
    };
    this.#before = { at, app };
    return live;
  }

  #stages(app: AppSnapshot, before: AppSnapshot | undefined, seconds: number, at: number): LiveStage[] {
    const stages = new Map<string, TaskSnapshot[]>();
    for (const { stage } of app.steps) stages.set(stage, []);
    for (const task of app.tasks) stages.get(task.stage)?.push(task);
    return Array.from(stages, ([name, tasks]): LiveStage => {
      const recordsIn = sum(tasks, (task) => task.recordsIn);
      const moved = this.#moved.get(name);
      if (moved?.recordsIn !== recordsIn) this.#moved.set(name, { recordsIn, at });
      const still = moved?.recordsIn === recordsIn ? at - moved.at : 0;
      const lags = tasks.map(({ lag }) => lag);
      const lag = lags.includes(undefined) ? undefined : sum(lags, (each) => each ?? 0);
      const reasons = reasonsOf(app, tasks);
      const turnMs = sum(tasks, (task) => task.turnMs);
      const turnMsBefore = sum(before?.tasks.filter(({ stage }) => stage === name) ?? [], (task) => task.turnMs);
      const times = tasks.flatMap(({ streamTime }) => streamTime ?? []);
      const lagMs = tasks.flatMap(({ inputs }) => inputs.flatMap((input) => input.lagMs ?? []));
      return {
        name,
        state: stateOf(app, { tasks, lag, still, reasons, recordsIn, before }),
        reasons,
        tasks: tasks.length,
        lag,
        lagMs: lagMs.length === 0 ? undefined : highest(lagMs),
        streamTimeFrom: times.length === 0 ? undefined : lowest(times),
        streamTimeTo: times.length === 0 ? undefined : highest(times),
        openWindows: sum(tasks, (task) => task.openWindows),
        pendingAsync: sum(tasks, (task) => task.pendingAsync),
        busy: seconds === 0 ? 0 : Math.min(1, Math.max(0, turnMs - turnMsBefore) / (seconds * 1000)),
      };
    });
  }
}

interface Standing {
  readonly tasks: readonly TaskSnapshot[];
  readonly lag: number | undefined;
  /** How long it has taken no record, in ms. */
  readonly still: number;
  readonly reasons: readonly string[];
  readonly recordsIn: number;
  readonly before: AppSnapshot | undefined;
}

function stateOf(app: AppSnapshot, { before, lag, reasons, recordsIn, still, tasks }: Standing): StageState {
  if (app.state === 'failed' || app.state === 'stopped') return app.state;
  if (app.state === 'starting') return 'starting';
  if (tasks.length === 0) return reasons.length > 0 ? 'waiting' : 'idle';
  if (still > STALLED_MS && (lag === undefined || lag > 0)) return 'stalled';
  if (still > STALLED_MS && reasons.length > 0) return 'waiting';
  const lagBefore = before?.tasks.filter(({ stage }) => stage === tasks[0]?.stage).map((task) => task.lag ?? 0);
  const grows = lagBefore !== undefined && lag !== undefined && lag > sum(lagBefore, (each) => each) && lag > 1000;
  if (grows) return 'behind';
  return still > STALLED_MS || recordsIn === 0 ? 'idle' : 'running';
}

/** Reasons of the tasks of a stage, and those of the application that apply to all stages. */
function reasonsOf(app: AppSnapshot, tasks: readonly TaskSnapshot[]): string[] {
  const own = tasks.flatMap(({ id, waitingFor }) => (waitingFor === undefined ? [] : [`task ${id}: ${waitingFor}`]));
  const ids = new Set(tasks.map(({ id }) => id));
  const said = app.waitingFor.filter((reason) => {
    const id = /^task (\S+) /.exec(reason)?.[1];
    return id === undefined || ids.has(id);
  });
  return [...new Set([...said, ...own])].slice(0, 5);
}

function stepsOf(
  steps: readonly StepSnapshot[],
  before: readonly StepSnapshot[] | undefined,
  seconds: number,
): LiveStep[] {
  const known = new Map(before?.map((step) => [step.id, step]));
  return steps.map((step) => {
    const last = known.get(step.id);
    return {
      ...step,
      inPerSecond: step.recordsIn === undefined ? undefined : rate(step.recordsIn, last?.recordsIn, seconds),
      outPerSecond: step.recordsOut === undefined ? undefined : rate(step.recordsOut, last?.recordsOut, seconds),
      inputs: step.inputs.map(({ from, records }, at) => {
        return { from, perSecond: rate(records, last?.inputs[at]?.records, seconds) };
      }),
    };
  });
}

function pointOf(
  app: AppSnapshot,
  before: AppSnapshot | undefined,
  seconds: number,
  now: number,
  process: ProcessSnapshot | undefined,
): LivePoint {
  const read = (of: AppSnapshot): number => sourceRecords(of);
  const written = (of: AppSnapshot): number => sum(of.tasks, (task) => task.recordsOut);
  const commits = app.timings.commits.count - (before?.timings.commits.count ?? app.timings.commits.count);
  const took = app.timings.commits.sumMs - (before?.timings.commits.sumMs ?? app.timings.commits.sumMs);
  const delays = app.timings.recordToCommit.count - (before?.timings.recordToCommit.count ?? 0);
  const delayed = app.timings.recordToCommit.sumMs - (before?.timings.recordToCommit.sumMs ?? 0);
  return {
    at: now,
    inPerSecond: rate(read(app), before && read(before), seconds),
    outPerSecond: rate(written(app), before && written(before), seconds),
    lag: app.lag ?? null,
    commitMs: commits > 0 ? took / commits : null,
    recordToCommitMs: delays > 0 && before !== undefined ? delayed / delays : null,
    loopDelayMs: process?.loopDelayP99Ms ?? null,
    heapMb: process === undefined ? null : process.heapUsedBytes / 1_048_576,
    late: app.late,
  };
}

/** Records read from topics, a counter that survives rebuilt tasks. */
function sourceRecords({ steps }: AppSnapshot): number {
  return sum(steps, ({ inputs, recordsIn, step }) =>
    inputs.length === 0 && /^(topic|table)\(/.test(step) ? (recordsIn ?? 0) : 0,
  );
}

function sourcesOf(
  tasks: readonly TaskSnapshot[],
  before: readonly TaskSnapshot[] | undefined,
  seconds: number,
): LiveSource[] {
  const last = new Map<string, number>();
  for (const { inputs } of before ?? []) {
    for (const { partition, position, topic } of inputs) last.set(`${topic}/${partition}`, position);
  }
  const topics = new Map<string, { readonly stage: string; readonly inputs: InputSnapshot[] }>();
  for (const { inputs, stage } of tasks) {
    for (const input of inputs) {
      const known = topics.get(input.topic);
      if (known === undefined) topics.set(input.topic, { stage, inputs: [input] });
      else known.inputs.push(input);
    }
  }
  return Array.from(topics, ([topic, { inputs, stage }]) => {
    inputs.sort((left, right) => left.partition - right.partition);
    return {
      topic,
      stage,
      partition: inputs.map(({ partition }) => partition),
      position: inputs.map(({ position }) => position),
      end: inputs.map(({ end }) => end ?? null),
      lag: inputs.map(({ lag }) => lag ?? null),
      lagMs: inputs.map(({ lagMs }) => lagMs ?? null),
      perSecond: inputs.map(({ partition, position }) => rate(position, last.get(`${topic}/${partition}`), seconds)),
      streamTime: inputs.map(({ streamTime }) => (streamTime < 0 ? null : streamTime)),
    };
  });
}

function storesOf({ steps, tasks }: AppSnapshot): LiveStore[] {
  const stores = new Map<string, { readonly stage: string; readonly parts: StoreSnapshot[] }>();
  for (const task of tasks) {
    for (const store of task.stores) {
      const known = stores.get(store.name);
      if (known === undefined) stores.set(store.name, { stage: task.stage, parts: [store] });
      else known.parts.push(store);
    }
  }
  return Array.from(stores, ([name, { parts, stage }]) => {
    const times = parts.flatMap(({ streamTime }) => (streamTime === undefined || streamTime < 0 ? [] : [streamTime]));
    const ends = parts.flatMap(({ firstEnd }) => firstEnd ?? []);
    const windows = parts.some(({ openWindows }) => openWindows !== undefined);
    return {
      name,
      stage,
      partitions: parts.length,
      cached: sum(parts, ({ cached }) => cached),
      dirty: sum(parts, ({ dirty }) => dirty),
      openWindows: windows ? sum(parts, ({ openWindows }) => openWindows ?? 0) : undefined,
      firstEnd: ends.length === 0 ? undefined : lowest(ends),
      streamTimeFrom: times.length === 0 ? undefined : lowest(times),
      streamTimeTo: times.length === 0 ? undefined : highest(times),
      late: sum(steps, ({ late, step }) => (step.includes(`(${name})`) ? late : 0)),
    };
  });
}

function withoutParts({
  globalTables: _globals,
  steps: _steps,
  tasks: _tasks,
  timings: _timings,
  ...app
}: AppSnapshot): Omit<AppSnapshot, 'globalTables' | 'steps' | 'tasks' | 'timings'> {
  return app;
}

/** Counters of rebuilt tasks restart: a decrease is not a rate. */
function rate(now: number, before: number | undefined, seconds: number): number {
  return before === undefined || seconds <= 0 || now < before ? 0 : (now - before) / seconds;
}

function sum<T>(all: readonly T[], value: (each: T) => number): number {
  return all.reduce((total, each) => total + value(each), 0);
}

function lowest(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
}

function highest(values: readonly number[]): number {
  return values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
}
