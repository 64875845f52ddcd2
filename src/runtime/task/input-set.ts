import type { Clock } from '../../dataflow/clock.ts';
import type { TopicUse } from '../../dataflow/node.ts';
import type { InputConsumer, InputOrigin } from '../../dataflow/task-context.ts';
import { ConfigError } from '../../errors.ts';
import type { CommittedOffset, FetchedBatch } from '../../log/transport.ts';
import { type UnreadableRange, unreadableRange } from '../../log/unreadable.ts';
import type { StepMeters } from '../../metrics/step-meters.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { NO_HEADERS } from '../../record.ts';
import { DeferredWork } from './deferred-work.ts';
import { InputQueue, type RecordFailed } from './input-queue.ts';
import { keptTime, RecordTimes } from './record-times.ts';
import type { ShuffleTime } from './shuffle-time.ts';
import type { TracedRecords } from './traced-records.ts';

/** The source of batches for the inputs of a task. */
export interface InputFeed {
  /** Continues reading an input at another offset. */
  assign(topic: string, partition: number, offset: number): void;
  /** The next batch of an input, if there is one. */
  poll(topic: string, partition: number): FetchedBatch | undefined;
  /** The offset after the last readable record of an input, if known. */
  endOffset(topic: string, partition: number): number | undefined;
  /** The offset after its last record, readable or not, if known; left out where all records are readable. */
  writtenEnd?(topic: string, partition: number): number | undefined;
  /** Topics whose start offset is not committed yet: it is part of the first commit. */
  readonly uncommitted?: ReadonlySet<string>;
  /** Count what is read. */
  readonly meters?: StepMeters;
  /** The metadata kept with the start offset of an input; see {@link InputSet.kept}. */
  readonly heard?: ReadonlyMap<string, string> | undefined;
  readonly clock?: Clock;
  /** Called with batches as they are taken. */
  readonly traced?: TracedRecords | undefined;
}

/** Applies the policy to an unreadable batch. @returns Whether to skip it. */
export type BatchFailed = (range: UnreadableRange) => boolean;

/**
 * The input topics of a task, read as one: always the available record with the lowest timestamp, ties in order of
 * topic names. While a topic may still have data on its way, the others wait for it, unless it is known to be read to
 * its end. Records of open transactions are on their way too: those that had been written when a record of another
 * topic arrived may be older than it.
 */
export class InputSet {
  readonly queues: readonly InputQueue[];
  readonly #partition: number;
  readonly #feed: InputFeed;
  /** Number of queues. */
  readonly #count: number;
  readonly #unreadable: BatchFailed;
  readonly #deferred: DeferredWork;
  /** What waits for the limit of time happens, before another record sees that it has risen. @returns Whether to go on. */
  follow: () => boolean = () => true;
  #time: ShuffleTime | undefined;
  #processing: InputQueue | undefined;
  #last: InputQueue | undefined;
  #waitsFor: InputQueue | undefined;

  constructor(
    topics: readonly TopicUse[],
    partition: number,
    positions: ReadonlyMap<string, number>,
    feed: InputFeed,
    failed: RecordFailed,
    unreadable: BatchFailed = () => false,
    deferred: DeferredWork = new DeferredWork(),
  ) {
    this.#deferred = deferred;
    this.#unreadable = unreadable;
    this.#partition = partition;
    this.#feed = feed;
    // Topics that were found by a pattern may have fewer partitions than others.
    this.queues = topics
      .filter(({ foundBy, name }) => foundBy === undefined || positions.has(name))
      .map((use) => this.#queueOf(use, positions.get(use.name) ?? 0, failed))
      .sort((left, right) => (left.use.name < right.use.name ? -1 : 1));
    this.#count = this.queues.length;
    for (const [index, queue] of this.queues.entries()) {
      queue.index = index;
      if (feed.uncommitted?.has(queue.use.name) !== true) queue.committed = queue.position;
    }
  }

  #queueOf(use: TopicUse, position: number, failed: RecordFailed): InputQueue {
    const { clock, heard, meters } = this.#feed;
    const [partition, meter] = [this.#partition, meters?.topic(use.name)];
    if (use.timestamp === undefined && use.onInvalidTimestamp === undefined)
      return new InputQueue(use, partition, position, failed, meter);
    const times = new RecordTimes(use, partition, clock);
    const queue = new InputQueue(use, partition, position, failed, meter, times);
    queue.streamTime = keptTime(heard?.get(use.name));
    return queue;
  }

  /** Metadata to keep with the position of an input, so that its records get the same timestamps after a restart. */
  kept(topic: string): string | undefined {
    const queue = this.queues.find(({ use }) => use.name === topic);
    return queue?.times?.mark(queue.streamTime);
  }

  /** Sets the receiver of announcements in the inputs. */
  listen(time: ShuffleTime | undefined): void {
    this.#time = time;
    if (time === undefined) return;
    for (const queue of this.queues) queue.hear = (topic, announcement) => time.hear(topic, announcement);
  }

  /**
   * The time up to which the inputs have been read, not counting inputs with time announcements, unless there are no
   * others; infinity if all of them have been read to their ends.
   */
  timeReached(time: ShuffleTime | undefined): number {
    let reached = Number.POSITIVE_INFINITY;
    for (const input of this.queues) {
      const announced = time?.follows(input.use.name) === true && time.reached < Number.POSITIVE_INFINITY;
      if (!announced && !(input.empty && this.#caughtUp(input))) reached = Math.min(reached, input.streamTime);
    }
    return reached;
  }

  /** Highest timestamp of all inputs; −1 before the first record. */
  get streamTime(): number {
    let time = -1;
    for (const input of this.queues) time = Math.max(time, input.streamTime);
    return time;
  }

  /** The topics that match a pattern. */
  foundBy(pattern: string): readonly TopicUse[] {
    return this.queues.map(({ use }) => use).filter(({ foundBy }) => foundBy === pattern);
  }

  add(topic: string, consumer: InputConsumer): void {
    this.queues.find(({ use }) => use.name === topic)?.add(consumer);
  }

  /** @throws ConfigError `ERR_NOT_SUBSCRIBED` if nothing reads an input: its records would be lost. */
  checkConsumed(stage: string): void {
    const idle = this.queues.find((queue) => !queue.consumed);
    if (idle === undefined) return;
    throw new ConfigError('ERR_NOT_SUBSCRIBED', `nothing in partition ${this.#partition} reads ${idle.use.name}`, {
      topic: idle.use.name,
      stage,
      hint:
        'share(), shareReplay() and similar operators keep one subscription for all partitions: leave them out, the part above a ' +
        'branch runs once anyway',
    });
  }

  /** From now on records with a timestamp above this are refused. */
  refuseAfter(latest: number): void {
    const last = Math.min(latest, Number.MAX_SAFE_INTEGER);
    for (const queue of this.queues) queue.latest = last;
  }

  /** Processes the next record. @returns Whether there was one. */
  step(): boolean {
    return this.stepUpTo(Number.POSITIVE_INFINITY);
  }

  /** Like `step`, unless the next record is later than `latest`. */
  stepUpTo(latest: number): boolean {
    const input = this.#next();
    if (input === undefined || (latest < Number.POSITIVE_INFINITY && input.headTimestamp() > latest)) return false;
    if (this.#time?.risen === true && !this.#goesOn()) return false;
    this.#processing = input;
    input.take(this.#deferred);
    return true;
  }

  /** The limit of time has risen. */
  #goesOn(): boolean {
    this.rest();
    return this.follow();
  }

  /** Timestamp of the next record; `undefined` if none is available. */
  nextTimestamp(): number | undefined {
    return this.#next()?.headTimestamp();
  }

  /** Whether every input has been read to its last known end. */
  get caughtUp(): boolean {
    for (const input of this.queues) if (!input.empty || !this.#caughtUp(input)) return false;
    return true;
  }

  /** The input of the last processed record. */
  get last(): InputQueue | undefined {
    return this.#processing ?? this.#last;
  }

  /** The turn is over: no record is being processed. */
  rest(): void {
    this.#last = this.last;
    this.#processing = undefined;
  }

  complete(): void {
    for (const input of this.queues) input.complete();
  }

  /** A code for the current record, for {@link placeOf}; −1 if there is none. */
  originCode(): number {
    const input = this.#processing;
    return input === undefined ? -1 : input.headOffset * this.#count + input.index;
  }

  /** Like `originCode`, for an earlier record. */
  codeOf({ offset, topic }: InputOrigin): number {
    const index = this.queues.findIndex(({ use }) => use.name === topic);
    return index < 0 || offset < 0 ? -1 : offset * this.queues.length + index;
  }

  /** The place of a record by its code. */
  placeOf(code: number): { readonly topic: string; readonly partition: number; readonly offset: number } {
    const count = this.queues.length;
    const queue = this.queues[code < 0 ? 0 : code % count];
    return {
      topic: queue?.use.name ?? '',
      partition: this.#partition,
      offset: code < 0 ? -1 : Math.floor(code / count),
    };
  }

  /** The current record; at the end of a bounded input, where there is none, a description of the place. */
  origin(): InputOrigin {
    if (this.#processing !== undefined) return this.#processing.origin();
    const topic = this.queues[0]?.use.name ?? '';
    return { topic, partition: this.#partition, offset: -1, timestamp: 0, key: null, value: null, headers: NO_HEADERS };
  }

  /** Whether every input has been read to `end(topic)`; skips batches without records on the way. */
  readTo(end: (topic: string) => number | undefined): boolean {
    return this.queues.every((input) => {
      const until = end(input.use.name);
      if (until === undefined) return false;
      return input.position >= until || (!this.#fill(input) && input.position >= until);
    });
  }

  /** Whether a position has moved since the last {@link takeOffsets}. */
  get moved(): boolean {
    for (const { committed, position } of this.queues) if (committed !== position) return true;
    return false;
  }

  /** Highest timestamps of the inputs of these offsets, if they have any. */
  newest(offsets: readonly CommittedOffset[]): readonly number[] {
    const times: number[] = [];
    for (const { streamTime, use } of this.queues) {
      if (streamTime >= 0 && offsets.some(({ topic }) => topic === use.name)) times.push(streamTime);
    }
    return times;
  }

  /**
   * Positions that have moved since the last call.
   *
   * @param metadataOf - Returns the metadata to commit with the offset of a topic.
   */
  takeOffsets(metadataOf: (topic: string) => string | undefined = () => undefined): CommittedOffset[] {
    const offsets: CommittedOffset[] = [];
    for (const queue of this.queues) {
      const { position: offset, use } = queue;
      if (queue.committed === offset) continue;
      queue.committed = offset;
      const topic = use.name;
      const partition = this.#partition;
      const metadata = metadataOf(topic);
      offsets.push(metadata === undefined ? { topic, partition, offset } : { topic, partition, offset, metadata });
    }
    return offsets;
  }

  /** The position of every input, by topic. */
  positions(): [topic: string, offset: number][] {
    return this.queues.map(({ position, use }) => [use.name, position]);
  }

  /** Describes what keeps the next record from being taken. */
  waitingFor(): string | undefined {
    const input = this.#waitsFor;
    if (input === undefined) return undefined;
    const { position, use } = input;
    return `records of ${use.name}/${this.#partition} from offset ${position}, to take the lowest timestamp first`;
  }

  #next(): InputQueue | undefined {
    const { queues } = this;
    if (this.#count === 1) {
      const only = queues[0] as InputQueue;
      return !only.empty || this.#fill(only) ? only : undefined;
    }
    this.#waitsFor = undefined;
    let best: InputQueue | undefined;
    for (let index = 0; index < queues.length; index += 1) {
      const input = queues[index] as InputQueue;
      if (!input.empty || this.#fill(input)) {
        if (best === undefined || input.headTimestamp() < best.headTimestamp()) best = input;
      } else if (!this.#caughtUp(input)) {
        this.#waitsFor = input;
        return undefined;
      }
    }
    if (best?.came === true) this.#came(best);
    if (best?.awaits === undefined) return best;
    this.#waitsFor = this.#hidden(best.awaits);
    if (this.#waitsFor !== undefined) return undefined;
    best.awaits = undefined;
    return best;
  }

  /** An input that was read to its end, but may have older records in transactions that were open at that time. */
  #hidden(ends: readonly number[]): InputQueue | undefined {
    // The end goes back if a leader has lost records.
    return this.queues.find(
      (input) => input.empty && input.position < Math.min(ends[input.index] as number, this.#written(input)),
    );
  }

  /**
   * Records have arrived in an input: notes which transactions of the others they wait for. Later ones do not count: there
   * may always be an open one. Nor do those that begin before records are taken that have arrived now, because an input
   * would get no further than one batch with each transaction.
   */
  #came(input: InputQueue): void {
    let awaits: number[] | undefined;
    for (const other of this.queues) {
      const end = this.#feed.endOffset(other.use.name, this.#partition);
      // Nobody has looked into it yet; until then, no record is taken.
      if (end === undefined) return;
      const written = this.#written(other);
      if (other === input || written <= end) continue;
      awaits ??= this.queues.map(() => 0);
      awaits[other.index] = written;
    }
    input.awaits = awaits;
    input.came = false;
    input.arrived = Math.max(input.position, this.#feed.endOffset(input.use.name, this.#partition) ?? 0);
  }

  #written(input: InputQueue): number {
    return this.#feed.writtenEnd?.(input.use.name, this.#partition) ?? 0;
  }

  #fill(input: InputQueue): boolean {
    while (input.empty) {
      const batch = this.#poll(input);
      if (batch === undefined) return false;
      this.#feed.traced?.see(input.use.name, this.#partition, input.position, batch);
      input.push(batch);
      if (input.empty || this.#count === 1 || input.headOffset < input.arrived) continue;
      input.came = true;
      this.#came(input);
    }
    return true;
  }

  #poll(input: InputQueue): RecordColumns | undefined {
    const { name } = input.use;
    for (;;) {
      try {
        return this.#feed.poll(name, this.#partition);
      } catch (error) {
        const range = unreadableRange(error, name, this.#partition, input.position);
        if (range === undefined || !this.#unreadable(range)) throw error;
        input.position = range.nextOffset;
        this.#feed.assign(name, this.#partition, range.nextOffset);
      }
    }
  }

  #caughtUp(input: InputQueue): boolean {
    const end = this.#feed.endOffset(input.use.name, this.#partition);
    return end !== undefined && input.position >= end;
  }
}
