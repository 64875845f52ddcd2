import { FatalError } from '../../errors.ts';
import { every, inSteps, type Steps, until } from '../../log/awaitable.ts';
import type { Logger } from '../../log/logger.ts';
import { storesOf } from '../../log/offset-mark.ts';
import type { CommittedOffset, TaskLog, TaskSpec, TopicDescription, TopicFacts } from '../../log/transport.ts';
import { originOf, taskSpecs } from '../../plan/assignment.ts';
import { keysWouldMove } from '../../plan/keys-would-move.ts';
import type { Stage } from '../../plan/stages.ts';
import type { StoreBackend, StoreId } from '../../state/byte-store.ts';
import { FINGERPRINT_STORE } from '../task/fingerprints.ts';
import {
  heardBefore,
  PositionKeeper,
  type StatePosition,
  type StatePositions,
  statePositions,
} from '../task/state-positions.ts';
import type { TaskProgress } from '../task/task-host.ts';
import { checkLeftOver, checkSpread } from './state-spread.ts';
import { goneUnread, otherTopic, type Reached, stateBehind } from './task-start-errors.ts';
import type { TopicEnds } from './topic-ends.ts';

/** A task that was assigned, with the offsets that its group has committed. */
export interface AssignedTask {
  readonly stage: Stage;
  readonly spec: TaskSpec;
  readonly committed: ReadonlyMap<string, CommittedOffset>;
}

/** Where a task begins, by topic, and what has to become durable before it does. */
export interface TaskStart {
  readonly positions: ReadonlyMap<string, number>;
  /**
   * Topics whose offset waits for the first commit: they begin at the first record there ever was, as they would again
   * without an offset. All others are committed before the task is built.
   */
  readonly uncommitted: ReadonlySet<string>;
  readonly progress: TaskProgress | undefined;
  /** What was heard of the time of other tasks before the positions, by topic. */
  readonly heard?: ReadonlyMap<string, string>;
}

export interface TaskStartsOptions {
  readonly applicationId: string;
  readonly stages: readonly Stage[];
  readonly topics: ReadonlyMap<string, TopicDescription & Partial<TopicFacts>>;
  /** Where topics ended of which only what is new is read; all other records that were never read are. */
  readonly ends: TopicEnds;
  readonly startFrom: 'earliest' | 'latest';
  readonly logger: Logger;
}

/** A store of a task, and how far it says that its inputs were read. */
interface StoreState {
  readonly name: string;
  readonly positions: StatePositions | undefined;
  /** It was written before stores said how far. */
  readonly mute: boolean;
}

/**
 * Decides where tasks begin, by the committed offsets and by what the stores say. Neither alone can be trusted: offsets
 * expire, are deleted and are set by hand, and state can be lost. Where they agree, or where it is clear which one is
 * right, the task goes on; else the application stops and says what it found.
 */
export class TaskStarts {
  readonly #log: TaskLog;
  readonly options: TaskStartsOptions;

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
    return starts.map(({ found, task }) => {
      const { stage, spec } = task;
      const positions = new Map<string, number>();
      for (const { partition, topic } of spec.partitions) {
        positions.set(topic, found.get(topic) ?? fresh.get(topic)?.get(partition) ?? 0);
      }
      const heard = this.#heard(task, positions, stores);
      const waits = (topic: string): boolean =>
        !found.has(topic) && positions.get(topic) === 0 && this.#beginsAgain(topic);
      if (spec.partitions.every(({ topic }) => waits(topic))) {
        return { positions, uncommitted: new Set(positions.keys()), progress: undefined };
      }
      return {
        positions,
        uncommitted: new Set<string>(),
        heard,
        progress: this.#settle(stage, spec, task.committed, positions, stores, heard),
      };
    });
  }

  /** What was heard before the positions: in the stores, or else with the offsets. */
  #heard(
    { committed, spec, stage }: AssignedTask,
    positions: ReadonlyMap<string, number>,
    stores: StoreBackend,
  ): ReadonlyMap<string, string> {
    const states = stage.stores.map(({ name }) => statePositions(stores, this.#id(name, spec)));
    return heardBefore(positions, states, committed);
  }

  /** The offsets that are known, of one task. */
  #compare({ committed, spec, stage }: AssignedTask, stores: StoreBackend): Map<string, number> {
    const states = stage.stores.map(({ name }) => this.#state(stores, name, spec));
    checkSpread(stage, states, this.options.topics);
    const found = new Map<string, number>();
    for (const { partition, topic } of spec.partitions) {
      const place = new Place(this.options, stage, topic, partition);
      const start = place.compare(committed.get(topic), states);
      if (start !== undefined) found.set(topic, start);
    }
    return found;
  }

  #state(stores: StoreBackend, name: string, spec: TaskSpec): StoreState {
    const id = this.#id(name, spec);
    const positions = statePositions(stores, id);
    const known = stores.open({ ...id, store: FINGERPRINT_STORE }).get(new TextEncoder().encode(name)) !== undefined;
    return { name, positions, mute: positions === undefined && known };
  }

  /** Where partitions begin of which nothing is known. */
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

  /** Whether a topic begins with its first record again without an offset: with 'latest' what is written itself does. */
  #beginsAgain(topic: string): boolean {
    return this.options.startFrom === 'earliest' || this.#writers(topic).length > 0;
  }

  /** Where a topic ended that is read from there; `undefined` where another topic has its name now. */
  #ends(topic: string): ReadonlyMap<number, number> | undefined {
    const end = this.options.ends.get(topic);
    return end?.topicId === this.options.topics.get(topic)?.id ? end?.offsets : undefined;
  }

  /** A partition that was not there when its topic was read for the first time has nothing but new records. */
  *#offsets(topic: string, partitions: readonly number[]): Steps<ReadonlyMap<number, number>> {
    const earliest = yield* until(this.#log.offsets(topic, 'earliest', partitions));
    const ends = this.#ends(topic);
    if (ends === undefined) return earliest;
    return new Map(
      Array.from(earliest, ([partition, offset]) => [partition, Math.max(offset, ends.get(partition) ?? 0)]),
    );
  }

  /** Whether one of the stages has committed anything, in whichever process. */
  *#hasRun(stages: readonly Stage[]): Steps<boolean> {
    const places = stages.flatMap((stage) => taskSpecs(stage, this.options.topics)).flatMap((spec) => spec.partitions);
    return (yield* until(this.#log.committed(this.options.applicationId, places))).length > 0;
  }

  /** Commits where the task begins, if that is not what is committed: what comes while it rests is not to be passed over. */
  #settle(
    stage: Stage,
    spec: TaskSpec,
    committed: ReadonlyMap<string, CommittedOffset>,
    positions: ReadonlyMap<string, number>,
    stores: StoreBackend,
    heard: ReadonlyMap<string, string>,
  ): TaskProgress | undefined {
    const names = stage.stores.map(({ name }) => name);
    const settled = spec.partitions.every(({ topic }) => {
      const offset = committed.get(topic);
      // With the id of a topic that is gone it is where the one that has its name now begins.
      if (offset === undefined || offset.topicId !== undefined || offset.offset !== positions.get(topic)) return false;
      const signed = storesOf(offset);
      return names.every((name) => signed?.has(name) === true);
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
    const keeper = new PositionKeeper(applicationId, partition, stage.stores, topics, (topic) => heard.get(topic));
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

/** An input partition of a task, where its committed offset is compared with the stores. */
class Place {
  readonly #options: TaskStartsOptions;
  readonly #stage: Stage;
  readonly #topic: string;
  readonly #partition: number;

  constructor(options: TaskStartsOptions, stage: Stage, topic: string, partition: number) {
    this.#options = options;
    this.#stage = stage;
    this.#topic = topic;
    this.#partition = partition;
  }

  /** The offset to begin at; `undefined` where nothing is known of the partition. */
  compare(committed: CommittedOffset | undefined, states: readonly StoreState[]): number | undefined {
    const reached = states.flatMap(({ name, positions }): Reached[] => {
      const position = positions?.get(this.#topic);
      if (position === undefined) return [];
      return this.#isOfThisTopic(name, position, committed) ? [{ name, offset: position.offset }] : [];
    });
    const low = reached.reduce((best, each) => (each.offset < best.offset ? each : best), reached[0] ?? NOTHING);
    const high = reached.reduce((best, each) => (each.offset > best.offset ? each : best), reached[0] ?? NOTHING);
    // What was committed for a topic that is gone says nothing but that the one which has its name now was never read.
    const known = committed?.topicId === undefined ? committed : undefined;
    this.#checkEmpty(known, states);
    if (reached.length === 0) return known?.offset;
    if (known === undefined) {
      this.#warn(
        `no offset of ${this.#name} is committed: it continues at ${low.offset}, which store ${low.name} has reached`,
      );
      return this.#lowest(low, high);
    }
    // Somebody has set the offset by hand, or with another tool.
    if (storesOf(known) === undefined) return this.#setByHand(known.offset, low, high);
    if (low.offset < known.offset) throw this.#behind(low, high, known.offset);
    if (low.offset > known.offset) {
      const { applicationId, logger } = this.#options;
      logger.info(
        { applicationId, stage: this.#stage.name, topic: this.#topic, partition: this.#partition, offset: low.offset },
        `the stores hold records of ${this.#name} beyond the committed offset ${known.offset}: it continues after them`,
      );
    }
    return this.#lowest(low, high);
  }

  get #name(): string {
    return `${this.#topic}/${this.#partition}`;
  }

  /**
   * Whether a store has taken records of the topic that is there now. An offset that somebody has set in it says where the
   * state of another one is to go on.
   */
  #isOfThisTopic(
    store: string,
    { partitions, topicId }: StatePosition,
    committed: CommittedOffset | undefined,
  ): boolean {
    const now = this.#options.topics.get(this.#topic);
    if (partitions !== undefined && now !== undefined && partitions !== now.partitions) {
      throw keysWouldMove(this.#stage, partitions, now.partitions, { topic: this.#topic });
    }
    if (topicId === undefined || now?.id === undefined || topicId === now.id) return true;
    if (committed !== undefined && committed.topicId === undefined) return false;
    throw otherTopic(store, this.#options.applicationId, { ...this.#at(0), topic: this.#topic });
  }

  /** A store without entries was either lost or is new. */
  #checkEmpty(committed: CommittedOffset | undefined, states: readonly StoreState[]): void {
    if (committed === undefined) return;
    const before = storesOf(committed);
    for (const { mute, name, positions } of states) {
      if (positions !== undefined || mute) continue;
      if (before?.has(name) === true) throw this.#lost(name, committed.offset);
      if (committed.offset > 0)
        this.#warn(`store ${name} is empty and starts at offset ${committed.offset} of ${this.#name}`);
    }
  }

  /** Stores that differ: at least once, the changes of a commit may have reached one changelog and not the other. */
  #lowest(low: Reached, high: Reached): number {
    if (low.offset !== high.offset) {
      this.#warn(
        `store ${high.name} holds the records of ${this.#name} up to ${high.offset}, store ${low.name} up to ${low.offset}: ` +
          `${high.name} processes those in between again, as at-least-once allows`,
      );
    }
    return low.offset;
  }

  #setByHand(offset: number, low: Reached, high: Reached): number {
    if (offset < high.offset) {
      throw new FatalError(
        'ERR_OFFSET_BEHIND_STATE',
        `the offset of ${this.#name} was set to ${offset}, but store ${high.name} holds the records up to ${high.offset}`,
        {
          ...this.#at(offset),
          lastOffset: high.offset - 1,
          hint:
            'they would be counted twice: set the offset to that number to continue, or process them again with empty state, ' +
            'under a new applicationId',
        },
      );
    }
    if (offset > low.offset) {
      this.#warn(
        `offsets ${low.offset} to ${offset - 1} of ${this.#name} were skipped by hand; the stores do not have them`,
      );
    }
    return offset;
  }

  #behind(low: Reached, high: Reached, committed: number): FatalError {
    return stateBehind(low, high, committed, this.#at(low.offset));
  }

  #lost(name: string, committed: number): FatalError {
    return new FatalError(
      'ERR_STATE_LOST',
      `store ${name} is empty, but it was there when offset ${committed} of ${this.#name} was committed`,
      {
        ...this.#at(committed),
        hint:
          'its changelog or its folder was removed: restore it, process everything again under a new applicationId, or ' +
          'say with client.setCommitted(applicationId, topic, offsets) where it starts empty',
      },
    );
  }

  #at(offset: number) {
    return { stage: this.#stage.name, topic: this.#topic, partition: this.#partition, offset };
  }

  #warn(message: string): void {
    const { applicationId, logger } = this.#options;
    logger.warn({ applicationId, stage: this.#stage.name, topic: this.#topic, partition: this.#partition }, message);
  }
}

const NOTHING: Reached = { name: '', offset: 0 };
