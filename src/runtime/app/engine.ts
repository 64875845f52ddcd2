import { type Clock, pause } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
import { type Awaitable, inSteps, quietly, type Steps, until } from '../../log/awaitable.ts';
import { noLogger } from '../../log/logger.ts';
import type { Fetcher, TaskLog, TaskSession } from '../../log/transport.ts';
import { idleMsOf } from '../../options/duration.ts';
import { originOf, taskSpecs } from '../../plan/assignment.ts';
import type { Topology } from '../../plan/topology.ts';
import { Rounds } from '../task/rounds.ts';
import { SharedOutputs } from '../task/shared-outputs.ts';
import type { Task } from '../task/task.ts';
import type { AppOptions } from './app-options.ts';
import type { AppTopics } from './app-topics.ts';
import { CommitPace, paceOf } from './commit-pace.ts';
import { Committer } from './committer.ts';
import { ConsumedRecords } from './consumed-records.ts';
import type { GlobalTables } from './global-tables.ts';
import { LongestTurn } from './longest-turn.ts';
import { sayingOldRows } from './old-rows.ts';
import { consumables } from './own-topics.ts';
import { OwnedTasks } from './owned-tasks.ts';
import { type TaskEvents, TaskFactory } from './task-factory.ts';
import { type OpenedTask, TaskOpening } from './task-opening.ts';
import { type AssignedTask, TaskStarts } from './task-starts.ts';
import { Telemetry } from './telemetry.ts';
import type { TopicsInUse } from './topic-setup.ts';
import { tasksWaiting } from './why-unread.ts';

/** How long turns run before the event loop gets a turn, in ms. */
const SLICE_MS = 8;
/** Bytes of encoded outputs above which a commit starts early. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
/** Turns stop at this many bytes while a commit is in progress. */
const HARD_OUTPUT_BYTES = 4 * MAX_OUTPUT_BYTES;

/** How long to wait for a commit in progress when the tasks are torn down, in ms. */
const CLOSE_MS = 3000;

export interface EngineEvents extends TaskEvents {
  /** A task or a commit failed. The engine does nothing more until it is closed. */
  failed(error: MillraceError): void;
  /** Nothing is left to do: everything fetched is processed and committed. */
  idle(): void;
  /** Every assigned task is built for the first time. */
  ready(): void;
  /** The work of the tasks has become durable. */
  committed?(): void;
}

/**
 * Runs the tasks of one group session: gives them turns, commits their work, and detects when there is nothing to do.
 * An engine lives as long as its session; after a failure a new one starts from the last commit.
 */
export class Engine {
  readonly tasks: Map<string, Task> = new Map();
  readonly committer: Committer;
  readonly #topology: Topology;
  readonly #log: TaskLog;
  readonly #options: AppOptions;
  readonly #topics: TopicsInUse;
  readonly #events: EngineEvents;
  readonly #clock: Clock;
  readonly #pace: CommitPace;
  readonly #telemetry: Telemetry | undefined;
  #session: TaskSession | undefined;
  /** Tasks that are assigned but not built yet. */
  readonly #assigned: AssignedTask[] = [];
  readonly #owned = new OwnedTasks();
  /** Assignments whose committed offsets are being read. */
  #assigning = 0;
  readonly #fetcher: Fetcher;
  readonly #factory: TaskFactory;
  readonly #opening: TaskOpening;
  readonly #consumed: ConsumedRecords;
  /** Shared by all tasks, so that outputs are in the order of their turns. */
  readonly #outputs: SharedOutputs;
  #generation = 0;
  readonly #rounds: Rounds;
  readonly #longest = new LongestTurn();
  #scheduled = false;
  #running = true;
  /** Whether the application is stopping: records that were read are finished, no new ones are taken. */
  #stopping = false;
  #failed = false;
  #announced = false;

  constructor(
    topology: Topology,
    log: TaskLog,
    { ends, now: topics }: Pick<AppTopics, 'ends' | 'now'>,
    options: AppOptions,
    clock: Clock,
    globals: GlobalTables,
    events: EngineEvents,
  ) {
    this.#topology = topology;
    this.#log = log;
    this.#topics = topics;
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    const atomic = log.capabilities.atomicCommit;
    this.#telemetry = events.meters && new Telemetry(options.applicationId, log.kind, clock, events.meters);
    const wake = (): void => this.schedule();
    this.#pace = new CommitPace(clock, paceOf(options, atomic), wake);
    this.#outputs = new SharedOutputs((name) => this.#factory.outputTopic(name), log.kind === 'kafka');
    this.committer = new Committer({
      tasks: this.tasks,
      clock,
      atomic,
      session: () => this.#session && { session: this.#session, generation: this.#generation },
      changelog: () => this.#factory.changelog,
      outputs: sayingOldRows(this.#outputs, log, topics, options, () => clock.now()),
      announcer: () => this.#factory.announcer,
      committed: (offsets) => {
        this.#consumed.committed(offsets);
        events.committed?.();
      },
      origin: (topic, partition) => this.#fetcher.origin(topic, partition),
      failed: () => this.#failed,
      telemetry: this.#telemetry,
      schedule: () => this.schedule(),
      fail: (error) => this.#fail(error),
    });
    this.#fetcher = log.fetcher({ onReady: wake, ...this.#telemetry?.ofFetcher });
    this.#rounds = new Rounds(clock, wake, options.idle && idleMsOf('run', options.idle));
    const shared = { outputs: this.#outputs, feed: this.#fetcher, wake, traced: this.#telemetry?.traced };
    this.#factory = new TaskFactory(topology, log, topics, options, clock, shared, globals);
    this.#factory.begin(events, this.tasks);
    const { applicationId, logger = noLogger, startFrom = 'earliest' } = options;
    const starts = new TaskStarts(log, { ...topology, applicationId, topics, ends, startFrom, logger });
    this.#consumed = new ConsumedRecords(log, consumables(topology, topics, applicationId), clock, logger);
    this.#opening = new TaskOpening(log, starts, this.#factory, this.committer);
  }

  /** Joins the group; tasks come as they are assigned. */
  start(): Awaitable<void> {
    return inSteps(this.#start());
  }

  *#start(): Steps<void> {
    const joining = this.#log.group({
      groupId: this.#options.applicationId,
      tasks: this.#topology.stages.flatMap((stage) => taskSpecs(stage, this.#topics)),
      // If state and log share a folder, one process owns both.
      exclusive: this.#log.capabilities.stateWithLog,
      onAssigned: (ids, generation, session) => inSteps(this.#assign(ids, generation, session)),
      onRevoked: (ids, lost) => inSteps(this.#revoked(ids, lost)),
      onError: (error) => this.#fail(error),
    });
    const session = yield* until(joining);
    if (!this.#running) return yield* until(session.leave());
    this.#session = session;
    this.schedule();
  }

  *#assign(ids: readonly string[], generation: number, session: TaskSession): Steps<void> {
    this.#assigning += 1;
    try {
      this.#session = session;
      this.#generation = generation;
      this.#factory.announcer.begin(session.epoch);
      const pick = this.#owned.give(ids);
      this.#assigned.push(...pick(yield* this.#opening.assigned(ids)));
      this.schedule();
    } finally {
      this.#assigning -= 1;
    }
  }

  /** Builds the tasks that were assigned. */
  #build(): void {
    const session = this.#session;
    if (session === undefined || this.#assigned.length === 0) return;
    void inSteps(this.#begin(session, this.#assigned.splice(0)));
  }

  *#begin(session: TaskSession, assigned: readonly AssignedTask[]): Steps<void> {
    this.#assigning += 1;
    try {
      const owns = (task: AssignedTask): boolean => this.#running && this.#owned.has(task);
      const opened = yield* this.#opening.open(session, assigned, owns);
      if (this.#running) for (const each of opened) this.#add(session, each);
      this.schedule();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#assigning -= 1;
    }
  }

  #add(session: TaskSession, { start, task: assigned }: OpenedTask): void {
    if (!this.#owned.has(assigned)) return;
    const task = this.#factory.build(session, assigned, start);
    this.tasks.set(task.id, task);
    this.#rounds.add(task);
    this.#consumed.begun(task.partition, start.positions);
    for (const [topic, offset] of start.positions) {
      const origin = originOf(this.#topics, topic, offset, assigned.committed.get(topic));
      this.#fetcher.assign(topic, task.partition, offset, origin);
    }
  }

  *#revoked(ids: readonly string[], lost: boolean): Steps<void> {
    if (!lost) yield* until(this.committer.retire(ids));
    for (const id of ids) {
      this.#owned.remove(id);
      const task = this.tasks.get(id);
      if (task === undefined) continue;
      this.tasks.delete(id);
      this.#rounds.remove(task);
      for (const { use } of task.inputs) this.#fetcher.unassign(use.name, task.partition);
      task.close();
    }
  }

  /** Runs turns soon; further calls before that have no effect. */
  schedule(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      if (!this.#running) return;
      try {
        this.#pump();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #pump(): void {
    this.#build();
    this.#announce();
    const began = this.#longest.begin(this.#clock.monotonic());
    let now = began;
    let more = true;
    let worked = false;
    while (more && this.#running) {
      more = this.#turns(began + SLICE_MS);
      worked ||= this.#rounds.worked;
      now = this.#clock.monotonic();
      if (now >= began + SLICE_MS) break;
    }
    if (worked) this.#telemetry?.turned(now - began);
    if (!this.#running) return;
    const dirty = this.#dirty();
    const waits = this.committer.pendingAsync() > 0;
    if (dirty) this.#settle(!more && !waits);
    if (more) this.schedule();
    else if (!worked && !dirty && this.committer.current === undefined && !waits) this.#events.idle();
    else if (worked) this.schedule();
  }

  /** Whether it has assigned tasks that are not built yet. */
  readonly isIncomplete = (): boolean => this.#assigning > 0 || this.tasks.size < this.#owned.size;

  #announce(): void {
    if (this.#announced || this.isIncomplete()) return;
    if (this.#session === undefined || this.#session.waitingFor() !== undefined) return;
    this.#announced = true;
    this.#events.ready();
  }

  /**
   * Commits if it is time, otherwise schedules a check for later. A commit drains asynchronous calls, so while there
   * are any it does not start before its interval is over.
   */
  #settle(quiet: boolean): void {
    const waitMs = this.#pace.waitMs(quiet, this.committer.lastDurationMs);
    if (waitMs <= 0 || this.#outputs.bytes > MAX_OUTPUT_BYTES) {
      if (this.committer.current === undefined) this.#pace.begun(quiet);
      void quietly(() => this.committer.commit());
      return;
    }
    // While there is work, or calls are in progress, turns are scheduled anyway.
    if (!quiet) return;
    if (!this.#pace.eager) void this.committer.flush();
    this.#pace.wakeIn(waitMs);
  }

  /** @returns Whether there may be more to do. */
  #turns(until: number): boolean {
    const room = !this.#stopping && !this.committer.closed && this.#outputs.bytes < HARD_OUTPUT_BYTES;
    const more = this.#rounds.round(room, until, this.#looked, this.#knows);
    if (this.#rounds.failure !== undefined) this.#fail(this.#rounds.failure);
    else this.committer.poke();
    return more;
  }

  readonly #knows = (): boolean => this.#fetcher.waitingFor() === undefined;

  readonly #looked = (task: Task, now: number): void => void this.#longest.ended(task, now);

  #dirty(): boolean {
    for (const task of this.tasks.values()) if (task.dirty) return this.#pace.note(true);
    return this.#pace.note(this.#factory.announcer.due || this.committer.owes);
  }

  /** Describes what keeps the tasks from progressing. */
  waitingFor(): string[] {
    const full = this.#outputs.bytes >= HARD_OUTPUT_BYTES;
    const reasons = [
      this.#session === undefined ? 'joining the group' : this.#session.waitingFor(),
      this.#assigning > 0 ? 'the committed offsets of new tasks' : undefined,
      this.#fetcher.waitingFor(),
      this.#factory.waitingFor(),
      this.committer.waitingFor(),
      full ? 'a commit in progress, before more is written' : undefined,
    ].filter((reason) => reason !== undefined);
    const known = reasons.length > 0 || this.#stopping;
    return [...reasons, ...tasksWaiting([...this.tasks.values()], this.#rounds, this.#fetcher, known)];
  }

  endOffset(topic: string, partition: number): number | undefined {
    return this.#fetcher.endOffset(topic, partition);
  }

  /** A last commit, with turns for asynchronous work that it has to wait for. */
  async finish(): Promise<void> {
    this.#stopping = true;
    await this.#opening.settling;
    await quietly(() => this.committer.current);
    await this.committer.commit();
  }

  /** Tears the tasks down and leaves the group; uncommitted work is abandoned. */
  close(): Awaitable<void> {
    return inSteps(this.#close());
  }

  *#close(): Steps<void> {
    this.#running = false;
    this.#pace.close();
    this.#rounds.close();
    this.#outputs.recycle(this.#outputs.take());
    for (const task of this.tasks.values()) task.close();
    this.#consumed.close();
    this.committer.abandon();
    const commit = this.committer.settled();
    if (commit !== undefined) yield* until(Promise.race([commit, pause(this.#clock, CLOSE_MS)]));
    this.#factory.close();
    yield* until(this.#fetcher.close());
    // This also ends a commit that is being retried.
    yield* until(this.#session?.leave());
    yield* until(commit);
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#running = false;
    this.committer.abandon();
    void this.#consumed.report(this.#longest.explain(error), this.#options.applicationId, (failure) =>
      this.#events.failed(failure),
    );
  }
}
