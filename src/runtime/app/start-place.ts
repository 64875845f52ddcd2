import { FatalError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { committedTrail, isStateless } from '../../log/offset-mark.ts';
import { type CommittedTrail, lackOf, restUpTo, type StoreRoutes, shuffledTo } from '../../log/store-trail.ts';
import type { CommittedOffset, TopicDescription, TopicFacts } from '../../log/transport.ts';
import { keysWouldMove } from '../../plan/keys-would-move.ts';
import type { Stage } from '../../plan/stages.ts';
import type { StatePosition, StatePositions } from '../task/state-positions.ts';
import { otherTopic, type Reached, stateBehind, storeLeftOut } from './task-start-errors.ts';

/** The application that a task belongs to. */
export interface StartContext {
  readonly applicationId: string;
  readonly topics: ReadonlyMap<string, TopicDescription & Partial<TopicFacts>>;
  readonly logger: Logger;
}

/** A store of a task, and the input positions that it has recorded. */
export interface StoreState {
  readonly name: string;
  readonly positions: StatePositions | undefined;
  /** Whether it was written before stores recorded positions. */
  readonly mute: boolean;
}

/** Determines where an input partition of a task starts, by comparing its committed offset with the stores. */
export class StartPlace {
  readonly #options: StartContext;
  readonly #stage: Stage;
  readonly #topic: string;
  readonly #partition: number;

  constructor(options: StartContext, stage: Stage, topic: string, partition: number) {
    this.#options = options;
    this.#stage = stage;
    this.#topic = topic;
    this.#partition = partition;
  }

  /**
   * The start offset; `undefined` if nothing is known about the partition.
   *
   * @param routes - How records come from the partition to stores, also to those behind shuffles.
   */
  compare(
    committed: CommittedOffset | undefined,
    states: readonly StoreState[],
    routes: StoreRoutes,
  ): number | undefined {
    const known = ofThisTopic(committed);
    const before = known && committedTrail(known);
    const reached = states.flatMap(({ name, positions }): Reached[] => {
      const position = positions?.get(this.#topic);
      if (position === undefined || !this.#isOfThisTopic(name, position, committed)) return [];
      // Where its records do not come from here, it lacks none of them.
      const passed = routes.apart.includes(name) ? before?.offset : before && shuffledTo(before, name);
      return [{ name, offset: Math.max(position.offset, passed ?? 0) }];
    });
    const low = reached.reduce((best, each) => (each.offset < best.offset ? each : best), reached[0] ?? NOTHING);
    const high = reached.reduce((best, each) => (each.offset > best.offset ? each : best), reached[0] ?? NOTHING);
    this.#checkEmpty(before, states, routes);
    if (before !== undefined) this.#checkBehind(before, routes);
    if (reached.length === 0) return known?.offset;
    if (known === undefined) {
      this.#warn(
        `no offset of ${this.#name} is committed: it continues at ${low.offset}, which store ${low.name} has reached`,
      );
      return this.#lowest(low, high);
    }
    // Where there is no trail, a stage without stores still shows that what a store lacks was read without it.
    const passed = isStateless(known) && low.offset < known.offset;
    // Without a mark of the application, somebody has set the offset by hand or with another tool.
    if (before?.stores === undefined && before?.trail === undefined && !passed)
      return this.#setByHand(known.offset, reached, high);
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
   * Whether a store has records of the current topic. A manually set offset of the current topic says where state of an
   * earlier one continues.
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

  /** An empty store was either lost or is new; one without records of the topic was behind other topics. */
  #checkEmpty(before: CommittedTrail | undefined, states: readonly StoreState[], { apart }: StoreRoutes): void {
    const from = before?.offset ?? 0;
    for (const { mute, name, positions } of states) {
      if (positions?.has(this.#topic) === true) continue;
      const isNamed = before?.stores?.has(name) === true;
      // It may be older than positions and trails. With a trail, it would be named.
      if (mute && (isNamed || before?.trail === undefined)) continue;
      if (positions === undefined) {
        if (isNamed) throw this.#lost(name, from);
        if (from > 0) this.#warn(`store ${name} is empty and starts at offset ${from} of ${this.#name}`);
        continue;
      }
      if (apart.includes(name)) continue;
      const lack = before && lackOf(before, name, []);
      if (lack?.left === true) throw storeLeftOut(name, lack, from, this.#at(lack.from));
      const isUnknown = before?.trail === undefined && !isNamed && from > 0;
      if (isUnknown || lack !== undefined) this.sayMoved(name, positions.keys(), from);
    }
  }

  /** The stores of other stages do not show here what they lack. */
  #checkBehind(before: CommittedTrail, routes: StoreRoutes): void {
    for (const [name, through] of routes.behind) {
      const lack = lackOf(before, name, through);
      if (lack?.left === true) throw storeLeftOut(name, lack, before.offset, this.#at(lack.from));
      if (lack === undefined) continue;
      this.#warn(
        `store ${name}, behind ${through.join(', ')}, gets the records of ${this.#name} from offset ${lack.to} on`,
      );
    }
    for (const name of [...routes.stores, ...routes.behind.keys()]) {
      const to = restUpTo(before, name, routes.behind.get(name) ?? []);
      if (to === undefined) continue;
      this.#warn(
        `store ${name} got the records of ${this.#name} before offset ${to} behind another topic: what it had not read there, ` +
          'it does not get any more',
      );
    }
  }

  /** Says that a store now also takes the records of this topic. */
  sayMoved(store: string, topics: Iterable<string>, from: number): void {
    this.#warn(
      `store ${store} holds records of ${[...topics].join(', ')}, and takes those of ${this.#name} from offset ${from} on`,
    );
  }

  /**
   * Stores may differ: with at-least-once, the changes of a commit may have reached one changelog but not the other.
   */
  #lowest(low: Reached, high: Reached): number {
    if (low.offset !== high.offset) {
      this.#warn(
        `store ${high.name} holds the records of ${this.#name} up to ${high.offset}, store ${low.name} up to ${low.offset}: ` +
          `${high.name} processes those in between again, as at-least-once allows`,
      );
    }
    return low.offset;
  }

  #setByHand(offset: number, reached: readonly Reached[], high: Reached): number {
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
    for (const { name, offset: has } of reached) {
      if (has >= offset) continue;
      this.#warn(
        `offsets ${has} to ${offset - 1} of ${this.#name} were skipped by hand; store ${name} does not have them`,
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

/** An offset of a deleted topic only shows that the topic that has its name now was never read. */
export function ofThisTopic(committed: CommittedOffset | undefined): CommittedOffset | undefined {
  return committed?.topicId === undefined ? committed : undefined;
}

const NOTHING: Reached = { name: '', offset: 0 };
