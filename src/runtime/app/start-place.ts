import { FatalError } from '../../errors.ts';
import type { Logger } from '../../log/logger.ts';
import { isStateless, storesOf } from '../../log/offset-mark.ts';
import type { CommittedOffset, TopicDescription, TopicFacts } from '../../log/transport.ts';
import { keysWouldMove } from '../../plan/keys-would-move.ts';
import type { Stage } from '../../plan/stages.ts';
import type { StatePosition, StatePositions } from '../task/state-positions.ts';
import { otherTopic, type Reached, stateBehind } from './task-start-errors.ts';

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

  /** The start offset; `undefined` if nothing is known about the partition. */
  compare(committed: CommittedOffset | undefined, states: readonly StoreState[]): number | undefined {
    const reached = states.flatMap(({ name, positions }): Reached[] => {
      const position = positions?.get(this.#topic);
      if (position === undefined) return [];
      return this.#isOfThisTopic(name, position, committed) ? [{ name, offset: position.offset }] : [];
    });
    const low = reached.reduce((best, each) => (each.offset < best.offset ? each : best), reached[0] ?? NOTHING);
    const high = reached.reduce((best, each) => (each.offset > best.offset ? each : best), reached[0] ?? NOTHING);
    // An offset of a deleted topic only shows that the topic that has its name now was never read.
    const known = committed?.topicId === undefined ? committed : undefined;
    this.#checkEmpty(known, states);
    if (reached.length === 0) return known?.offset;
    if (known === undefined) {
      this.#warn(
        `no offset of ${this.#name} is committed: it continues at ${low.offset}, which store ${low.name} has reached`,
      );
      return this.#lowest(low, high);
    }
    // While a pipeline without these stores has moved the offset, they were not used, and lack records.
    const lacks = isStateless(known) && low.offset < known.offset;
    // Otherwise an offset without stores was set manually or with another tool, now or before that.
    if (storesOf(known) === undefined && !lacks) return this.#setByHand(known.offset, low, high);
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

  /**
   * An empty store was either lost or is new. One without records of the topic was used by a pipeline that read other
   * topics, and perhaps not by the last one.
   */
  #checkEmpty(committed: CommittedOffset | undefined, states: readonly StoreState[]): void {
    const before = committed && storesOf(committed);
    const from = committed?.offset ?? 0;
    for (const { mute, name, positions } of states) {
      if (mute || positions?.has(this.#topic) === true) continue;
      if (positions === undefined && before?.has(name) === true) throw this.#lost(name, from);
      if (positions === undefined && from > 0) {
        this.#warn(`store ${name} is empty and starts at offset ${from} of ${this.#name}`);
      }
      const isMoved = positions !== undefined && !this.#stage.inputs.some((use) => positions.has(use.name));
      if (positions === undefined || !(isMoved || from > 0)) continue;
      this.#warn(
        `store ${name} holds records of ${[...positions.keys()].join(', ')}, and continues at offset ${from} of ` +
          `${this.#name}: if it was not used for a while, it lacks the records in between`,
      );
    }
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
