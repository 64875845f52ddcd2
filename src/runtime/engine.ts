import { durationMs } from '../duration.ts';
import { MillraceError } from '../errors.ts';
import type { Cancel, Clock } from '../topology/clock.ts';
import type { AppOptions } from './app-options.ts';
import { StartPositions, taskSpecs } from './assignment.ts';
import { noLogger } from './logger.ts';
import type { OutputTopic } from './outputs.ts';
import { soon } from './schedule.ts';
import type { Stage } from './stages.ts';
import { Task, type TaskHost, type TaskProgress } from './task.ts';
import type { Topology } from './topology.ts';
import type {
  FetchedBatch,
  Fetcher,
  GroupSession,
  TaskSpec,
  TopicDescription,
  TopicPartition,
  Transport,
} from './transport.ts';

/** Records that a task takes before the next one has its turn. */
const TURN_RECORDS = 512;
/** How long turns go on before other events of the process are handled, in ms. */
const SLICE_MS = 8;
/** Encoded outputs that may wait for a commit; more starts one early. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
/** Turns stop at this many bytes while a commit is still under way. */
const HARD_OUTPUT_BYTES = 4 * MAX_OUTPUT_BYTES;

export interface EngineEvents {
  /** A task failed, or a commit did. The engine does nothing more until it is closed. */
  failed(error: MillraceError): void;
  /** Nothing is left to do: everything fetched is processed and committed. */
  idle(): void;
}

/**
 * Runs the tasks of one group session: gives them turns, commits what they did, and notices when there is nothing to do.
 * One engine lives from a session's start to its end; after a failure a new one starts from the last commit.
 */
export class Engine {
  readonly tasks = new Map<string, Task>();
  commits = 0;
  /** Monotonic time of the last commit. */
  lastCommit: number | undefined;
  readonly #topology: Topology;
  readonly #transport: Transport;
  readonly #options: AppOptions;
  readonly #topics: ReadonlyMap<string, TopicDescription>;
  readonly #events: EngineEvents;
  readonly #clock: Clock;
  readonly #commitIntervalMs: number;
  readonly #lingerMs: number;
  #cancelLinger: Cancel | undefined;
  #session: GroupSession | undefined;
  /** Tasks that are ours but not built yet. */
  readonly #assigned: { stage: Stage; spec: TaskSpec; positions: ReadonlyMap<string, number> }[] = [];
  #assigning: Promise<void> = Promise.resolve();
  #fetcher: Fetcher;
  #generation = 0;
  #scheduled = false;
  #running = true;
  /** The application stops: what has been read is finished, nothing new is taken. */
  #stopping = false;
  #commit: Promise<void> | undefined;
  /** A commit waits for asynchronous calls: tasks take no further records. */
  #barrier: (() => void) | undefined;
  #dirtySince: number | undefined;
  #failed = false;

  constructor(
    topology: Topology,
    transport: Transport,
    topics: ReadonlyMap<string, TopicDescription>,
    options: AppOptions,
    clock: Clock,
    events: EngineEvents,
  ) {
    this.#topology = topology;
    this.#transport = transport;
    this.#topics = topics;
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#commitIntervalMs = durationMs(options.commitInterval ?? '100ms', 'commitInterval');
    this.#lingerMs = durationMs(options.batch?.linger ?? '0ms', 'linger');
    this.#fetcher = transport.fetcher({ onReady: () => this.schedule() });
  }

  /** Joins the group; tasks come as they are assigned. */
  async start(): Promise<void> {
    const session = await this.#transport.group({
      groupId: this.#options.applicationId,
      tasks: this.#topology.stages.flatMap((stage) => taskSpecs(stage, this.#topics)),
      exclusive: true,
      onAssigned: (ids, generation) => {
        this.#assigning = this.#assign(ids, generation);
        return this.#assigning;
      },
      onRevoked: (ids, lost) => this.#revoked(ids, lost),
      onError: (error) => this.#fail(error),
    });
    if (!this.#running) {
      await session.leave();
      return;
    }
    this.#session = session;
    this.schedule();
  }

  async #assign(ids: readonly string[], generation: number): Promise<void> {
    this.#generation = generation;
    const wanted = this.#topology.stages.flatMap((stage) =>
      taskSpecs(stage, this.#topics)
        .filter(({ id }) => ids.includes(id))
        .map((spec) => ({ stage, spec })),
    );
    const { applicationId, startFrom = 'earliest' } = this.#options;
    const partitions = wanted.flatMap(({ spec }) => spec.partitions);
    const positions = await StartPositions.find(this.#transport, applicationId, partitions, startFrom);
    this.#assigned.push(...wanted.map(({ spec, stage }) => ({ stage, spec, positions: positions.forTask(spec) })));
    this.schedule();
  }

  /** Builds the tasks that were assigned, once the session and so their stores are there. */
  #build(): void {
    const session = this.#session;
    if (session === undefined) return;
    for (const { positions, spec, stage } of this.#assigned.splice(0)) {
      const [{ partition }] = spec.partitions as [TopicPartition];
      const task = new Task(stage, partition, positions, this.#host(session));
      this.tasks.set(task.id, task);
      for (const [topic, offset] of positions) this.#fetcher.assign(topic, partition, offset);
    }
  }

  #host(session: GroupSession): TaskHost {
    const {
      applicationId,
      cacheEntries = 100_000,
      logger = noLogger,
      onRecordError = 'fail',
      maxFutureSkew = '1h',
    } = this.#options;
    return {
      applicationId,
      topology: this.#topology,
      stores: session.stores,
      clock: this.#clock,
      cacheEntries,
      onRecordError,
      maxFutureMs:
        maxFutureSkew === 'unlimited' ? Number.POSITIVE_INFINITY : durationMs(maxFutureSkew, 'maxFutureSkew'),
      logger,
      outputTopic: (name) => this.#outputTopic(name),
      poll: (topic, partition): FetchedBatch | undefined => this.#fetcher.poll(topic, partition),
      endOffset: (topic, partition) => this.#fetcher.endOffset(topic, partition),
      wake: () => this.schedule(),
    };
  }

  #outputTopic(name: string): OutputTopic {
    const { partitions, config } = this.#topics.get(name) as TopicDescription;
    const compression = this.#options.compression ?? (this.#transport.kind === 'memory' ? 'none' : 'lz4');
    const { bytes: batchBytes, count: batchRecords } = this.#options.batch ?? {};
    return { partitions, maxMessageBytes: config.maxMessageBytes, compression, batchBytes, batchRecords };
  }

  async #revoked(ids: readonly string[], lost: boolean): Promise<void> {
    if (!lost) await this.commit();
    for (const id of ids) {
      const task = this.tasks.get(id);
      if (task === undefined) continue;
      this.tasks.delete(id);
      for (const { use } of task.inputs) this.#fetcher.unassign(use.name, task.partition);
      task.close();
    }
  }

  /** Runs turns soon; asking again before that does nothing. */
  schedule(): void {
    if (this.#scheduled || !this.#running) return;
    this.#scheduled = true;
    soon(() => {
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
    const until = this.#clock.monotonic() + SLICE_MS;
    let progressed = true;
    let worked = false;
    while (progressed && this.#running) {
      progressed = this.#round();
      worked ||= progressed;
      if (this.#clock.monotonic() >= until) break;
    }
    if (!this.#running) return;
    const dirty = this.#dirty();
    const waits = this.pendingAsync() > 0;
    // A commit lets asynchronous calls run dry, so while there are any it waits for its interval.
    if (dirty && ((!progressed && !waits && this.#lingered()) || this.#due()))
      void this.commit().catch(() => undefined);
    if (progressed) this.schedule();
    else if (!worked && !dirty && this.#commit === undefined && !waits) this.#events.idle();
    else if (worked) this.schedule();
  }

  /** One turn for each task. */
  #round(): boolean {
    const room = !this.#stopping && this.#barrier === undefined && this.#outputBytes() < HARD_OUTPUT_BYTES;
    let progressed = false;
    for (const task of this.tasks.values()) {
      if (task.turn(room ? TURN_RECORDS : 0) > 0) progressed = true;
      if (task.failure === undefined) continue;
      this.#fail(task.failure);
      return false;
    }
    if (this.#barrier !== undefined && this.pendingAsync() === 0) this.#barrier();
    return progressed;
  }

  #dirty(): boolean {
    for (const task of this.tasks.values()) {
      if (!task.dirty) continue;
      this.#dirtySince ??= this.#clock.monotonic();
      return true;
    }
    return false;
  }

  #due(): boolean {
    const since = this.#dirtySince;
    if (since === undefined) return false;
    return this.#clock.monotonic() - since >= this.#commitIntervalMs || this.#outputBytes() > MAX_OUTPUT_BYTES;
  }

  /** Whether outputs have waited long enough for others to share their batch; otherwise looks again when they have. */
  #lingered(): boolean {
    const restMs = this.#lingerMs - (this.#clock.monotonic() - (this.#dirtySince ?? 0));
    if (this.#lingerMs === 0 || restMs <= 0) return true;
    this.#cancelLinger ??= this.#clock.after(restMs, () => {
      this.#cancelLinger = undefined;
      this.schedule();
    });
    return false;
  }

  #outputBytes(): number {
    let sum = 0;
    for (const task of this.tasks.values()) sum += task.outputBytes;
    return sum;
  }

  pendingAsync(): number {
    let sum = 0;
    for (const task of this.tasks.values()) sum += task.pendingAsync();
    return sum;
  }

  /** Commits what the tasks have done; while one is under way, its end is what is waited for. */
  commit(): Promise<void> {
    this.#commit ??= this.#commitOnce().finally(() => {
      this.#commit = undefined;
      this.schedule();
    });
    return this.#commit;
  }

  async #commitOnce(): Promise<void> {
    try {
      await this.#quiet();
      const session = this.#session;
      const tasks = [...this.tasks.values()].filter((task) => task.dirty);
      if (session === undefined || tasks.length === 0 || this.#failed) return;
      const progress = tasks.map((task) => task.takeProgress());
      this.#dirtySince = undefined;
      const outputs = progress.flatMap((each) => each.outputs);
      if (outputs.length > 0) await session.send(outputs);
      await session.commit({
        generation: this.#generation,
        offsets: progress.flatMap((each) => each.offsets),
        state: progress.flatMap((each) => each.state),
      });
      tasks.forEach((task, index) => {
        task.recycle((progress[index] as TaskProgress).outputs);
        task.committed();
      });
      this.commits += 1;
      this.lastCommit = this.#clock.monotonic();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Resolves when no asynchronous call is under way; until then tasks take no records. */
  async #quiet(): Promise<void> {
    if (this.pendingAsync() === 0) return;
    await new Promise<void>((resolve) => {
      this.#barrier = resolve;
      this.schedule();
    });
    this.#barrier = undefined;
  }

  /** What keeps the tasks from progressing, in words. */
  waitingFor(): string[] {
    const reasons: string[] = [];
    if (this.#session === undefined) reasons.push('joining the group');
    const session = this.#session?.waitingFor();
    if (session !== undefined) reasons.push(session);
    const fetcher = this.#fetcher.waitingFor();
    if (fetcher !== undefined) reasons.push(fetcher);
    if (this.#barrier !== undefined) reasons.push(`a commit waits for ${this.pendingAsync()} asynchronous calls`);
    else if (this.#outputBytes() >= HARD_OUTPUT_BYTES) reasons.push('a commit under way, before more is written');
    for (const task of this.tasks.values()) {
      const reason = task.waitingFor();
      if (reason !== undefined) reasons.push(`task ${task.id} waits for ${reason}`);
    }
    return reasons;
  }

  endOffset(topic: string, partition: number): number | undefined {
    return this.#fetcher.endOffset(topic, partition);
  }

  /** A last commit, with turns for asynchronous work that it has to wait for. */
  async finish(): Promise<void> {
    this.#stopping = true;
    await this.#commit?.catch(() => undefined);
    await this.commit();
  }

  /** Takes the tasks down and leaves the group; what is not committed is given up. */
  async close(): Promise<void> {
    this.#running = false;
    this.#cancelLinger?.();
    for (const task of this.tasks.values()) task.close();
    this.#barrier?.();
    await this.#commit?.catch(() => undefined);
    await this.#assigning.catch(() => undefined);
    await this.#fetcher.close();
    await this.#session?.leave();
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#running = false;
    this.#barrier?.();
    this.#events.failed(
      error instanceof MillraceError
        ? error
        : new MillraceError('fatal', 'ERR_INTERNAL', 'the runtime failed', { cause: error }),
    );
  }
}
