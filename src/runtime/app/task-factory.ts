import type { Clock } from '../../dataflow/clock.ts';
import type { Awaitable } from '../../log/awaitable.ts';
import { limitsOf } from '../../log/dead-letter.ts';
import { noLogger } from '../../log/logger.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import { recordAt } from '../../log/record-at.ts';
import type { KnownTopic, TaskLog, TaskSession, TaskSpec, TopicPartition } from '../../log/transport.ts';
import type { AppMeters } from '../../metrics/app-meters.ts';
import { durationMs } from '../../options/duration.ts';
import { type ShuffleWriter, shuffleWriters } from '../../plan/shuffles.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Topology } from '../../plan/topology.ts';
import type { Lateness, StreamRecord } from '../../record.ts';
import type { StoreCheck } from '../../state/byte-store.ts';
import { CacheBudget } from '../../state/cache-budget.ts';
import { checkedStores } from '../../state/checked-stores.ts';
import type { InputFeed } from '../task/input-set.ts';
import type { SharedOutputs } from '../task/shared-outputs.ts';
import { ShuffleTime } from '../task/shuffle-time.ts';
import { Task } from '../task/task.ts';
import type { TaskHost } from '../task/task-host.ts';
import type { TracedRecords } from '../task/traced-records.ts';
import { Announcer } from './announcer.ts';
import type { AppOptions } from './app-options.ts';
import { Changelog, type RestoreProgress } from './changelog.ts';
import type { GlobalTables } from './global-tables.ts';
import { LateWatch } from './late-watch.ts';
import type { AssignedTask, TaskStart } from './task-starts.ts';
import type { TopicsInUse } from './topic-setup.ts';

/** What all tasks of a session share. */
export interface SharedParts {
  readonly outputs: SharedOutputs;
  readonly feed: InputFeed;
  readonly wake: () => void;
  /** Called with batches as they are taken. */
  readonly traced?: TracedRecords | undefined;
}
/** Callbacks and settings of tasks. */
export interface TaskEvents {
  /** Stores with entries that a commit could not write: their changes are checked when they are made. */
  readonly checkedStores: ReadonlySet<string>;
  /** Meters that outlive the tasks. */
  readonly meters?: AppMeters;
  /** A record was too late for some of its windows. */
  late?(record: StreamRecord<unknown, unknown>, lateness: Lateness): void;
}

const DEFAULT_CACHE_ENTRIES = 100_000;
const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024;

/** Builds the tasks of a session; if the log does not keep the stores, it restores them first. */
export class TaskFactory {
  /** Keeps stores and changelogs consistent; `undefined` if the log keeps the state, and before the first task. */
  changelog: Changelog | undefined;
  /** Announces the progress of tasks in shuffles. */
  readonly announcer: Announcer;
  /** The writers of shuffles, by topic. */
  readonly #shuffles: ReadonlyMap<string, readonly ShuffleWriter[]>;
  readonly #topology: Topology;
  readonly #log: TaskLog;
  readonly #topics: TopicsInUse;
  readonly #options: AppOptions;
  readonly #clock: Clock;
  readonly #shared: SharedParts;
  readonly #globals: GlobalTables;
  readonly #cacheBudget: CacheBudget;
  #events: TaskEvents = { checkedStores: new Set() };
  #lateWatch: LateWatch | undefined;
  #restoring: RestoreProgress | undefined;

  constructor(
    topology: Topology,
    log: TaskLog,
    topics: TopicsInUse,
    options: AppOptions,
    clock: Clock,
    shared: SharedParts,
    globals: GlobalTables,
  ) {
    this.#globals = globals;
    this.#cacheBudget = new CacheBudget(options.cacheBytes ?? DEFAULT_CACHE_BYTES);
    this.#topology = topology;
    this.#log = log;
    this.#topics = topics;
    this.#options = options;
    this.#clock = clock;
    this.#shared = shared;
    this.#shuffles = shuffleWriters(topology.stages, topics, options.applicationId);
    this.announcer = new Announcer(
      this.#shuffles,
      (name) => this.outputTopic(name),
      options.until === 'end' && options.openWindows === 'close',
    );
  }

  /** @param tasks - The tasks of the session, a live map. */
  begin(events: TaskEvents, tasks: ReadonlyMap<string, Task>): void {
    this.#events = events;
    if (this.#options.logger === undefined) return;
    this.#lateWatch = new LateWatch(this.#clock, this.#options, this.#topology.stages, tasks);
  }

  /** Updates the stores of tasks to the end of their changelogs. Does nothing if the log keeps the state. */
  restore(session: TaskSession, assigned: readonly AssignedTask[]): Awaitable<void> {
    return this.#log.capabilities.stateWithLog ? undefined : this.#restore(session, assigned);
  }

  async #restore(session: TaskSession, assigned: readonly AssignedTask[]): Promise<void> {
    const { applicationId, logger = noLogger } = this.#options;
    const now = (): number => this.#clock.now();
    this.changelog ??= new Changelog(this.#log, session.stores, applicationId, this.#topics, now, logger);
    const tasks = assigned.map(({ committed, spec, stage }) => {
      const partition = partitionOf(spec);
      return { committed, stores: stage.stores.map(({ name }) => ({ applicationId, store: name, partition })) };
    });
    await this.changelog.restore(tasks, (progress) => {
      this.#restoring = progress;
    });
    this.#restoring = undefined;
  }

  /** @throws errors of nodes on instantiation, such as `ERR_STORE_INCOMPATIBLE`. */
  build(
    session: TaskSession,
    { spec, stage }: AssignedTask,
    { heard, positions, trails, uncommitted }: TaskStart,
  ): Task {
    const task = new Task(stage, partitionOf(spec), positions, {
      ...this.#host(session),
      uncommitted,
      heard,
      trails,
      time: this.#timeOf(stage, heard),
      speaks: this.announcer.speaks(stage),
      followsWritten: (topic) => this.#writer(stage, topic)?.follows === 'written',
    });
    this.announcer.add(task);
    task.onTeardown(() => this.announcer.remove(task));
    return task;
  }

  #writer(stage: Stage, topic: string): ShuffleWriter | undefined {
    return this.#shuffles.get(topic)?.find((writer) => writer.stage === stage);
  }

  #timeOf({ inputs }: Stage, heard: ReadonlyMap<string, string> = new Map()): ShuffleTime | undefined {
    const followed = inputs.flatMap(({ name }) => {
      const writers = this.#shuffles.get(name);
      return writers === undefined ? [] : [[name, writers] as const];
    });
    return followed.length === 0 ? undefined : new ShuffleTime(new Map(followed), heard, () => this.announcer.epoch);
  }

  /** Describes what is being restored. */
  waitingFor(): string | undefined {
    if (this.#restoring === undefined) return undefined;
    const { partition, restored, store, total } = this.#restoring;
    return `store ${store}/${partition} being restored from its changelog: ${restored} of ${total} records`;
  }

  close(): void {
    this.#lateWatch?.close();
    this.changelog?.close();
  }

  #host(session: TaskSession): TaskHost {
    const {
      applicationId,
      cacheEntries = DEFAULT_CACHE_ENTRIES,
      logger = noLogger,
      onRecordError = 'fail',
    } = this.#options;
    const { maxFutureSkew = '1h' } = this.#options;
    return {
      applicationId,
      topology: this.#topology,
      stores: checkedStores(session.stores, (store) => this.#checkOf(store)),
      clock: this.#clock,
      cacheEntries,
      ...(this.#events.meters === undefined ? {} : { meters: this.#events.meters.steps }),
      cacheBudget: this.#cacheBudget,
      onRecordError,
      maxFutureMs:
        maxFutureSkew === 'unlimited' ? Number.POSITIVE_INFINITY : durationMs(maxFutureSkew, 'maxFutureSkew'),
      logger,
      inputTopics: this.#topics,
      globalRows: (topic) => this.#globals.rows(topic),
      outputs: this.#shared.outputs,
      outputTopic: (name) => this.outputTopic(name),
      inputPartitions: (name) => this.#topics.get(name)?.partitions ?? 1,
      assign: (topic, partition, offset) => {
        this.#shared.traced?.forget(topic, partition);
        this.#shared.feed.assign(topic, partition, offset);
      },
      traced: this.#shared.traced,
      poll: (topic, partition) => this.#shared.feed.poll(topic, partition),
      endOffset: (topic, partition) => this.#shared.feed.endOffset(topic, partition),
      writtenEnd: (topic, partition) => this.#shared.feed.writtenEnd?.(topic, partition),
      wake: this.#shared.wake,
      late: (record, lateness, stage) => {
        this.#lateWatch?.late(record, lateness, stage);
        this.#events.late?.(record, lateness);
      },
      recordAt: (topic, partition, offset) => recordAt(this.#log, this.#clock, topic, partition, offset),
    };
  }

  #checkOf(store: string): StoreCheck | undefined {
    if (!this.#events.checkedStores.has(store)) return undefined;
    return (key, value) => this.changelog?.check(store, key, value);
  }

  /** The known facts about an output topic of tasks. */
  outputTopic(name: string): OutputTopic {
    const topic = this.#topics.get(name) as KnownTopic;
    const compression = this.#options.compression ?? (this.#log.kind === 'memory' ? 'none' : 'lz4');
    const { bytes: batchBytes, count: batchRecords } = this.#options.batch ?? {};
    const { compacted, maxMessageBytes } = limitsOf(topic);
    return { partitions: topic.partitions, compacted, maxMessageBytes, compression, batchBytes, batchRecords };
  }
}

/** The partition of a task, which is the same in all of its topics. */
function partitionOf({ partitions }: TaskSpec): number {
  return (partitions[0] as TopicPartition).partition;
}
