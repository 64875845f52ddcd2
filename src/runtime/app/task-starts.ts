import { every, inSteps, type Steps, until } from '../../log/awaitable.ts';
import { committedTrail } from '../../log/offset-mark.ts';
import { continueTrail, isCommittable, isElsewhere, type StoreRoutes, type StoreTrail } from '../../log/store-trail.ts';
import type { CommittedOffset, TaskLog, TaskSpec } from '../../log/transport.ts';
import { originOf, taskSpecs } from '../../plan/assignment.ts';
import type { Stage } from '../../plan/stages.ts';
import { storeRoutes } from '../../plan/store-routes.ts';
import type { StoreBackend, StoreId } from '../../state/byte-store.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import { heardBefore, PositionKeeper, statePositions } from '../task/state-positions.ts';
import type { TaskProgress } from '../task/task-host.ts';
import { ofThisTopic, type StartContext, StartPlace, type StoreState } from './start-place.ts';
import { checkLeftOver, checkSpread } from './state-spread.ts';
import { goneUnread } from './task-start-errors.ts';
import type { TopicEnds } from './topic-ends.ts';

/** An assigned task, with the committed offsets of its group. */
export interface AssignedTask {
  readonly stage: Stage;
  readonly spec: TaskSpec;
  readonly committed: ReadonlyMap<string, CommittedOffset>;
}

/** The start positions of a task by topic, and what must be committed before it starts. */
export interface TaskStart {
  readonly positions: ReadonlyMap<string, number>;
  /**
   * Topics whose offset waits for the first commit: they start at the very first record, as they would again without an
   * offset. All others are committed before the task is built.
   */
  readonly uncommitted: ReadonlySet<string>;
  readonly progress: TaskProgress | undefined;
  /** Time announcements of other tasks from before the positions, by topic. */
  readonly heard?: ReadonlyMap<string, string>;
  /** Where the records of each input go from its position on. */
  readonly trails?: ReadonlyMap<string, StoreTrail>;
}

export interface TaskStartsOptions extends StartContext {
  readonly stages: readonly Stage[];
  /** The ends of topics that are read from 'latest'; of all other topics, records that were never read are read. */
  readonly ends: TopicEnds;
  readonly startFrom: 'earliest' | 'latest';
}

/**
 * Decides where tasks start, by the committed offsets and the positions in the stores. Neither can be trusted alone:
 * offsets expire, are deleted and are set manually, and state can be lost. If they agree, or it is clear which one is
 * right, the task starts; otherwise the application stops with an explanation.
 */
export class TaskStarts {
  readonly #log: TaskLog;
  readonly options: TaskStartsOptions;
  /** By topic: each belongs to one stage. */
  readonly #routes = new Map<string, StoreRoutes>();

  constructor(log: TaskLog, options: TaskStartsOptions) {
    this.#log = log;
    this.options = options;
  }

  /**
   * @throws FatalError `ERR_STATE_LOST`, `ERR_STATE_BEHIND`, `ERR_OFFSET_BEHIND_STATE`, `ERR_OFFSET_OUT_OF_RANGE`,
   * `ERR_STATE_OF_OTHER_TOPIC`; ConfigError `ERR_PARTITION_COUNT`
   */
  *find(assigned: readonly AssignedTask[], stores: StoreBackend): Steps<TaskStart[]> {
    checkLeftOver(this.options, new Set(assigned.map(({ stage }) => stage)), stores);
    const starts = assigned.map((task) => ({ task, found: this.#compare(task, stores) }));
    const missing = new Map<string, number[]>();
    for (const { found, task } of starts) {
      for (const { partition, topic } of task.spec.partitions) {
        if (!found.has(topic)) missing.set(topic, [...(missing.get(topic) ?? []), partition]);
      }
    }
    const fresh = yield* this.#fresh(missing);
    for (const { task } of starts) yield* this.#sayMoved(task, fresh, stores);
    const { stages, topics } = this.options;
    const all = stages
      .flatMap(({ inputs }) => inputs)
      .reduce((sum, { name }) => sum + (topics.get(name)?.partitions ?? 0), 0);
    return starts.map(({ found, task }) => {
      const { spec } = task;
      const positions = new Map<string, number>();
      for (const { partition, topic } of spec.partitions) {
        positions.set(topic, found.get(topic) ?? fresh.get(topic)?.get(partition) ?? 0);
      }
      const heard = this.#heard(task, positions, stores);
      const trails = this.#trails(task, positions, all);
      const waits = (topic: string): boolean =>
        !found.has(topic) && positions.get(topic) === 0 && this.#beginsAgain(topic);
      if (spec.partitions.every(({ topic }) => waits(topic))) {
        return { positions, uncommitted: new Set(positions.keys()), progress: undefined, trails };
      }
      const progress = this.#settle(task, positions, stores, heard, trails);
      return { positions, uncommitted: new Set<string>(), heard, progress, trails };
    });
  }

  /** Announcements from before the positions, kept in the stores or with the offsets. */
  #heard(
    { committed, spec, stage }: AssignedTask,
    positions: ReadonlyMap<string, number>,
    stores: StoreBackend,
  ): ReadonlyMap<string, string> {
    const states = stage.stores.map(({ name }) => statePositions(stores, this.#id(name, spec)));
    return heardBefore(positions, states, committed);
  }

  /** The known offsets of one task. */
  #compare({ committed, spec, stage }: AssignedTask, stores: StoreBackend): Map<string, number> {
    const states = stage.stores.map(({ name }) => this.#state(stores, name, spec));
    checkSpread(stage, states, this.options.topics);
    const found = new Map<string, number>();
    for (const { partition, topic } of spec.partitions) {
      const place = new StartPlace(this.options, stage, topic, partition);
      const start = place.compare(committed.get(topic), states, this.#routesOf(stage, topic));
      if (start !== undefined) found.set(topic, start);
    }
    return found;
  }

  /** @param all - How many partitions the application reads. */
  #trails(
    { committed, stage }: AssignedTask,
    positions: ReadonlyMap<string, number>,
    all: number,
  ): ReadonlyMap<string, StoreTrail> {
    const trails = Array.from(positions, ([topic, offset]): [string, StoreTrail] => {
      const known = ofThisTopic(committed.get(topic));
      return [topic, continueTrail(known && committedTrail(known), offset, this.#routesOf(stage, topic))];
    });
    return new Map(trails.filter(([, trail]) => isCommittable(trail, all)));
  }

  #routesOf(stage: Stage, topic: string): StoreRoutes {
    const known = this.#routes.get(topic);
    const routes = known ?? storeRoutes(stage, topic, this.options.stages);
    if (known === undefined) this.#routes.set(topic, routes);
    return routes;
  }

  #state(stores: StoreBackend, name: string, spec: TaskSpec): StoreState {
    const id = this.#id(name, spec);
    const positions = statePositions(stores, id);
    const known = stores.open({ ...id, store: FINGERPRINT_STORE }).get(new TextEncoder().encode(name)) !== undefined;
    return { name, positions, mute: positions === undefined && known };
  }

  /**
   * Stores that hold records of other topics may hold those that already are in a topic that the application now reads
   * for the first time.
   */
  *#sayMoved(
    { committed, spec, stage }: AssignedTask,
    fresh: ReadonlyMap<string, ReadonlyMap<number, number>>,
    stores: StoreBackend,
  ): Steps<void> {
    const states = stage.stores.map(({ name }) => ({ name, positions: statePositions(stores, this.#id(name, spec)) }));
    const moved = states.filter(
      ({ positions }) => positions !== undefined && !stage.inputs.some(({ name }) => positions.has(name)),
    );
    if (moved.length === 0) return;
    for (const { partition, topic } of spec.partitions) {
      const known = ofThisTopic(committed.get(topic));
      const before = known && committedTrail(known);
      const found = moved.filter(({ name }) => before === undefined || isElsewhere(before, name));
      if (found.length === 0) continue;
      const start = before?.offset ?? fresh.get(topic)?.get(partition) ?? 0;
      const ends = yield* until(this.#log.offsets(topic, 'latest', [partition]));
      if ((ends.get(partition) ?? 0) <= start) continue;
      const place = new StartPlace(this.options, stage, topic, partition);
      for (const { name, positions = new Map<string, unknown>() } of found)
        place.sayMoved(name, positions.keys(), start);
    }
  }

  /** The start of partitions about which nothing is known. */
  *#fresh(missing: ReadonlyMap<string, readonly number[]>): Steps<Map<string, ReadonlyMap<number, number>>> {
    const topics = Array.from(missing, ([topic, partitions]) => inSteps(this.#freshOf(topic, partitions)));
    const offsets = yield* until(every(topics));
    return new Map([...missing.keys()].map((topic, at) => [topic, offsets[at] as ReadonlyMap<number, number>]));
  }

  *#freshOf(topic: string, partitions: readonly number[]): Steps<ReadonlyMap<number, number>> {
    const writers = this.#writers(topic);
    const offsets = yield* this.#offsets(topic, partitions);
    const gone = [...offsets].find(([, offset]) => offset > 0);
    if (writers.length > 0 && gone !== undefined && (yield* this.#hasRun(writers))) {
      throw goneUnread(topic, gone[0], gone[1]);
    }
    return offsets;
  }

  #writers(topic: string): readonly Stage[] {
    return this.options.stages.filter(({ outputs }) => outputs.some(({ name }) => name === topic));
  }

  /**
   * Whether a topic without an offset would again start at its first record; with 'latest', the application's own
   * topics do.
   */
  #beginsAgain(topic: string): boolean {
    return this.options.startFrom === 'earliest' || this.#writers(topic).length > 0;
  }

  /** The end of a topic that is read from there; `undefined` if another topic has its name now. */
  #ends(topic: string): ReadonlyMap<number, number> | undefined {
    const end = this.options.ends.get(topic);
    return end?.topicId === this.options.topics.get(topic)?.id ? end?.offsets : undefined;
  }

  /** A partition that did not exist when its topic was first read has only new records. */
  *#offsets(topic: string, partitions: readonly number[]): Steps<ReadonlyMap<number, number>> {
    const earliest = yield* until(this.#log.offsets(topic, 'earliest', partitions));
    const ends = this.#ends(topic);
    if (ends === undefined) return earliest;
    return new Map(
      Array.from(earliest, ([partition, offset]) => [partition, Math.max(offset, ends.get(partition) ?? 0)]),
    );
  }

  /** Whether one of the stages has committed anything, in any process. */
  *#hasRun(stages: readonly Stage[]): Steps<boolean> {
    const places = stages.flatMap((stage) => taskSpecs(stage, this.options.topics)).flatMap((spec) => spec.partitions);
    return (yield* until(this.#log.committed(this.options.applicationId, places))).length > 0;
  }

  /**
   * Commits the start positions of the task if they differ from the committed ones: records that arrive while it is
   * stopped must not be skipped.
   */
  #settle(
    { committed, spec, stage }: AssignedTask,
    positions: ReadonlyMap<string, number>,
    stores: StoreBackend,
    heard: ReadonlyMap<string, string>,
    trails: ReadonlyMap<string, StoreTrail>,
  ): TaskProgress | undefined {
    const names = stage.stores.map(({ name }) => name);
    const settled = spec.partitions.every(({ topic }) => {
      const offset = committed.get(topic);
      // With the id of a deleted topic, it is the start of the topic that has its name now.
      if (offset === undefined || offset.topicId !== undefined || offset.offset !== positions.get(topic)) return false;
      const { stores: signed, trail } = committedTrail(offset);
      const isKnown = (store: string): boolean => trail === undefined || trail.behind.has(store);
      return [...(trails.get(topic)?.behind ?? [])].every(isKnown) && names.every((name) => signed?.has(name) === true);
    });
    const agreed = names.every((name) => {
      const state = statePositions(stores, this.#id(name, spec));
      return spec.partitions.every(({ topic }) => {
        const known = state?.get(topic);
        return known?.offset === positions.get(topic) && known?.topicId === this.options.topics.get(topic)?.id;
      });
    });
    if (settled && agreed) return undefined;
    const { applicationId, topics } = this.options;
    const { partition } = spec.partitions[0] as { readonly partition: number };
    const heardOn = (topic: string): string | undefined => heard.get(topic);
    const keeper = new PositionKeeper(applicationId, partition, stage.stores, topics, heardOn, trails);
    const offsets = spec.partitions.map((place): CommittedOffset => {
      const offset = positions.get(place.topic) as number;
      return { ...place, offset, ...originOf(this.options.topics, place.topic, offset, committed.get(place.topic)) };
    });
    return { outputs: [], state: keeper.write(positions), offsets: keeper.signed(offsets), newest: [] };
  }

  #id(store: string, { partitions }: TaskSpec): StoreId {
    const { partition } = partitions[0] as { readonly partition: number };
    return { applicationId: this.options.applicationId, store, partition };
  }
}
