import { type Cancel, type Clock, holdingClock } from '../dataflow/clock.ts';
import type { TopicUse } from '../dataflow/node.ts';
import { FatalError, type MillraceError } from '../errors.ts';
import { quietly } from '../log/awaitable.ts';
import { type LetterLimits, limitsOf } from '../log/dead-letter.ts';
import type { OutputTopic } from '../log/outputs.ts';
import { isDeadLetter } from '../log/record-failures.ts';
import type { KnownTopic, TopicDescription } from '../log/transport.ts';
import { counted } from '../options/counted.ts';
import { type Duration, formatMs } from '../options/duration.ts';
import type { RecordPolicy } from '../options/record-policy.ts';
import type { Topology } from '../plan/topology.ts';
import type { LateRecord } from '../record.ts';
import type { AppOptions } from '../runtime/app/app-options.ts';
import { Engine } from '../runtime/app/engine.ts';
import type { GlobalTableSnapshot } from '../runtime/app/global-rows.ts';
import { GlobalTables } from '../runtime/app/global-tables.ts';
import { Rebuilds } from '../runtime/app/rebuilds.ts';
import { NO_ENDS } from '../runtime/app/topic-ends.ts';
import type { Task } from '../runtime/task/task.ts';
import type { StoreBackend } from '../state/byte-store.ts';
import { UnwritableState } from '../state/checked-stores.ts';
import { type MemoryLog, MemoryTaskLog } from '../transports/memory/index.ts';
import { borrowedStores } from './borrowed-stores.ts';
import { type DriverFault, FailingLog, INJECTED } from './failing-log.ts';
import { LogLetters } from './log-letters.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface DriverEngineOptions {
  readonly applicationId?: string;
  readonly onRecordError?: RecordPolicy;
  readonly stores?: StoreBackend;
  readonly cacheEntries?: number;
  readonly idle?: Duration;
  readonly autoCommit?: boolean;
}

/** How long, in real time, `settled` waits for a stopped virtual clock before it fails. */
const STANDING_MS = 1000;

/** After so many rounds of due timers in one call, one of them must be setting itself for now, which would never end. */
const MOST_PASSES = 1000;

/** Commit interval without automatic commits: a hundred years of the virtual clock. */
const NEVER = '36500d';

/**
 * The engine that applications run on, with a log that answers synchronously and a virtual clock: `run` does all
 * deferred work, and nothing is left to do when it returns.
 */
export class DriverEngine {
  /** Every late record so far, including uncommitted ones. */
  readonly late: LateRecord<unknown, unknown>[] = [];
  #topology: Topology;
  readonly #log: MemoryLog;
  readonly #tasks: FailingLog;
  readonly #options: AppOptions;
  readonly #virtual: VirtualClock;
  readonly #clock: Clock;
  readonly #rebuilds: Rebuilds;
  /** Work scheduled with `soon`. */
  #soon: (() => void)[] = [];
  #engine: Engine;
  #globals: GlobalTables;
  #failure: MillraceError | undefined;
  /** Whether the tasks must be rebuilt from the last commit. */
  #again = false;
  /** Whether timers were set that are due already: the clock, which stands still, must look again. */
  #due = false;
  /** How many of the late records are committed. */
  #lateCommitted = 0;
  #woken: (() => void) | undefined;
  #settling: Promise<void> | undefined;

  constructor(topology: Topology, log: MemoryLog, clock: VirtualClock, options: DriverEngineOptions) {
    this.#topology = topology;
    this.#log = log;
    const { applicationId = 'test', autoCommit = true, cacheEntries, idle, onRecordError = 'fail' } = options;
    this.#options = {
      applicationId,
      onRecordError,
      maxFutureSkew: 'unlimited',
      ...(autoCommit ? {} : { commitInterval: NEVER, batch: { linger: NEVER } }),
      ...(cacheEntries === undefined ? {} : { cacheEntries }),
      ...(idle === undefined ? {} : { idle }),
    };
    this.#rebuilds = new Rebuilds(this.#options);
    this.#virtual = clock;
    this.#clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, callback) => {
        if (ms <= 0) this.#due = true;
        return clock.after(ms, callback);
      },
      soon: (callback) => {
        this.#soon.push(callback);
        this.#woken?.();
      },
    };
    const stores = options.stores && borrowedStores(options.stores);
    const tasks = new MemoryTaskLog(log, stores, this.#clock.soon);
    this.#tasks = new FailingLog(tasks, () => {
      this.#lateCommitted = this.late.length;
    });
    this.#globals = this.#loadGlobals();
    this.#engine = this.#start();
    this.run();
  }

  get tasks(): Task[] {
    return [...this.#engine.tasks.values()];
  }

  /** The tasks by their ids. */
  get running(): Pick<Engine, 'tasks'> {
    return this.#engine;
  }

  globalTables(): GlobalTableSnapshot[] {
    return this.#globals.snapshot();
  }

  /** Does all pending work. @throws MillraceError the failure, on every call until `restart` */
  run(): void {
    // Global tables are updated before any task continues.
    if (this.#failure === undefined) this.#follow();
    this.#engine.schedule();
    this.#work();
    for (let passes = 0; this.#again || this.#due; passes += 1) {
      if (passes === MOST_PASSES) throw timersRepeat(this.#clock.now());
      if (this.#again) {
        this.#again = false;
        this.late.length = this.#lateCommitted;
        this.#replace();
      }
      this.#work();
      if (this.#due) {
        this.#due = false;
        this.#virtual.advance(0);
        this.#work();
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Commits all finished work and its effects in later stages. Records that wait for asynchronous calls stay
   * uncommitted.
   */
  commit(): void {
    this.run();
    while (this.tasks.some((task) => task.dirty)) {
      const { committer } = this.#engine;
      const before = committer.commits;
      const waits = quietly(() => committer.commit()) instanceof Promise;
      this.run();
      if (waits || (committer === this.#engine.committer && committer.commits === before)) return;
    }
  }

  /**
   * Revokes all tasks and assigns them again: after a commit, or, with `lost`, as for a process that was presumed dead.
   */
  rebalance(lost: boolean): void {
    const { groups } = this.#log;
    if (lost) this.late.length = this.#lateCommitted;
    if (lost) groups.expel(this.#options.applicationId);
    else groups.reassign(this.#options.applicationId);
    this.run();
  }

  /** Makes the next call to the log fail. */
  failNext(what: DriverFault): void {
    this.#tasks.faults.add(what);
  }

  /** Continues with other topics for the patterns: tasks are rebuilt after a commit. */
  use(topology: Topology): void {
    this.commit();
    this.#topology = topology;
    this.#replace();
    this.run();
  }

  /** Drops all tasks and builds new ones from the last commit. */
  restart(topology: Topology): void {
    this.#topology = topology;
    this.late.length = this.#lateCommitted;
    this.#failure = undefined;
    void this.#globals.close();
    this.#globals = this.#loadGlobals();
    this.#replace();
    this.run();
  }

  /**
   * Resolves when no asynchronous call is in progress and all their effects are done. Callers share one loop, because
   * two would wake each other for ever.
   */
  settle(): Promise<void> {
    this.#settling ??= this.#settle().finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #settle(): Promise<void> {
    for (;;) {
      this.run();
      const { committer } = this.#engine;
      if (committer.pendingAsync() > 0) {
        await this.#wakening();
      } else if (committer.current === undefined) return;
      // A commit was waiting for the last of the calls.
      else await quietly(() => committer.current);
    }
  }

  /**
   * Resolves when there is something to do. @throws FatalError `ERR_CLOCK_STANDS` if only the clock can cause that, and
   * it is not moving
   */
  async #wakening(): Promise<void> {
    let cancel: Cancel | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#woken = resolve;
        const look = (before: number): void => {
          const now = this.#clock.now();
          const error = now === before ? this.#standing(now) : undefined;
          if (error === undefined) wait(now);
          else reject(error);
        };
        const wait = (now: number): void => {
          cancel = holdingClock.after(STANDING_MS, () => look(now));
        };
        wait(this.#clock.now());
      });
    } finally {
      cancel?.();
    }
  }

  /** The error if nothing happens although calls are in progress, because all of them wait for the clock. */
  #standing(now: number): FatalError | undefined {
    const busy = this.tasks.filter((task) => task.pendingAsync() > 0).map((task) => task.waitsForClock());
    const [first] = busy.flatMap((each) => each ?? []).sort((one, other) => one.until - other.until);
    return first === undefined || busy.includes(undefined) ? undefined : clockStands(first, now);
  }

  /** Updates global tables. A record that a table refuses ends an application, so later calls must fail too. */
  #follow(): void {
    try {
      this.#globals.follow();
    } catch (error) {
      this.#failure = error as MillraceError;
      throw error;
    }
  }

  #work(): void {
    while (this.#soon.length > 0) {
      const work = this.#soon;
      this.#soon = [];
      for (const each of work) each();
    }
  }

  #replace(): void {
    void this.#engine.close();
    this.#engine = this.#start();
  }

  #start(): Engine {
    const topics = new Map(this.#log.list().map((name) => [name, this.#log.known(name) as KnownTopic]));
    const engine: Engine = new Engine(
      this.#topology,
      this.#tasks,
      { ends: NO_ENDS, now: topics },
      this.#options,
      this.#clock,
      this.#globals,
      {
        checkedStores: this.#rebuilds.checkedStores,
        failed: (error) => this.#failed(error, engine.committer.commits),
        idle: () => undefined,
        ready: () => undefined,
        committed: () => {
          this.#lateCommitted = this.late.length;
        },
        late: (record, late) => void this.late.push({ ...record, late }),
      },
    );
    void engine.start();
    return engine;
  }

  /**
   * As in an application: if an entry cannot be written, uncommitted work is redone with checks; after a fault of the
   * log it is redone unchanged.
   */
  #failed(error: MillraceError, commits: number): void {
    if (error.code === INJECTED) {
      this.#again = true;
      return;
    }
    const news = error instanceof UnwritableState && !this.#rebuilds.checkedStores.has(error.store);
    if (news && this.#rebuilds.after(error, commits) !== undefined) this.#again = true;
    else this.#failure ??= error;
  }

  #loadGlobals(): GlobalTables {
    const letters = new LogLetters(this.#log);
    const failed = (error: unknown): void => {
      this.#failure ??= error as MillraceError;
    };
    const tables = new GlobalTables(this.#topology.globals, this.#options, this.#clock, letters, failed);
    void tables.load(this.#tasks, new Map());
    return tables;
  }
}

function timersRepeat(now: number): FatalError {
  return new FatalError(
    'ERR_TIMERS_REPEAT',
    `timers were due ${MOST_PASSES} times in a row, and the driver's clock stands at ${now}`,
    {
      hint: 'a timer sets itself for now, or for a time that has passed: set it for a later time, such as now + 1_000',
    },
  );
}

function clockStands(
  { calls, step, until }: { readonly step: string; readonly calls: number; readonly until: number },
  now: number,
): FatalError {
  const after = formatMs(until - now);
  return new FatalError(
    'ERR_CLOCK_STANDS',
    `settled() waits for ${counted(calls, 'call')} of ${step} that failed, to be made again in ${after} of the driver's clock, which stands still`,
    {
      step,
      hint: `move it: const settled = driver.settled(), then driver.advanceTime('${after}'), then await settled`,
    },
  );
}

/** The limits for encoding records of a topic. */
export function outputTopic(log: MemoryLog, name: string): OutputTopic & LetterLimits {
  const topic = log.describe(name) as TopicDescription;
  return { partitions: topic.partitions, ...limitsOf(topic), compression: 'none' };
}

/** The names of all topics of a pipeline. */
export function topicsOf(topology: Topology, onRecordError: RecordPolicy): ReadonlySet<string> {
  const { stages } = topology;
  return new Set([
    ...inputsOf(topology).map(({ name }) => name),
    ...stages.flatMap(({ outputs }) => outputs.map(({ name }) => name)),
    ...lettersOf(topology, onRecordError),
  ]);
}

/** The names of the dead-letter topics. */
export function lettersOf(topology: Topology, onRecordError: RecordPolicy): readonly string[] {
  const policies = [onRecordError, ...inputsOf(topology).flatMap((use) => use.onRecordError ?? [])];
  return [...new Set(policies.flatMap((policy) => (isDeadLetter(policy) ? policy.deadLetter : [])))];
}

function inputsOf({ globals, stages }: Topology): readonly TopicUse[] {
  return [...stages.flatMap((stage) => stage.inputs), ...globals];
}
