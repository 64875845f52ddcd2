import { onAbort } from '../../dataflow/abort.ts';
import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { KeepAlive } from '../../dataflow/keep-alive.ts';
import { MillraceError } from '../../errors.ts';
import type { LetterSender } from '../../log/letter-sender.ts';
import type { Logger } from '../../log/logger.ts';
import type { CommittedOffset, Fetcher, TopicPartition, Transport } from '../../log/transport.ts';
import type { StreamRecord } from '../../record.ts';
import { clientClosed } from '../failures.ts';
import { BadRecords } from './bad-records.ts';
import { GroupRecord } from './committable-record.ts';
import { GroupMember } from './group-member.ts';
import { goesOn, PartitionFinder, partitionId } from './partition-finder.ts';
import { ReadInput } from './read-input.ts';
import { type ReadPlan, refreshMs } from './read-plan.ts';
import { RecordReader } from './record-reader.ts';

/** What a subscription needs from its client. */
export interface ReadingHost {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keepAlive: KeepAlive;
  readonly letters: LetterSender;
  /** The open subscriptions. */
  readonly readings: Set<Reading>;
}

/** Errors that another look-up cannot fix: the topic is not the one to read. */
const END_CODES = new Set(['ERR_TOPIC_RECREATED', 'ERR_PARTITION_COUNT']);

/** How a subscription ended. */
export type Outcome = { readonly error: unknown } | 'complete';

/**
 * One subscription: finds its partitions, reads them, commits for its group, and releases everything at the end.
 * Records are pulled; `ready` is called when a pull may return something new.
 */
export class Reading {
  readonly #plan: ReadPlan;
  readonly #host: ReadingHost;
  readonly #ready: () => void;
  readonly #fetcher: Fetcher;
  readonly #reader: RecordReader;
  readonly #finder: PartitionFinder;
  readonly #started: Promise<void>;
  #member: GroupMember | undefined;
  #located = false;
  /** Whether a subscription with an end has looked for partitions once more before ending. */
  #lookedAgain = false;
  #outcome: Outcome | undefined;
  readonly #unheard: Cancel | undefined;
  #commitTimer: Cancel | undefined;
  #refreshTimer: Cancel | undefined;
  #refreshing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(plan: ReadPlan, host: ReadingHost, ready: () => void) {
    this.#plan = plan;
    this.#host = host;
    this.#ready = ready;
    this.#finder = new PartitionFinder(plan, host.transport);
    this.#fetcher = host.transport.fetcher({ isolation: plan.isolation, onReady: ready });
    const bad: BadRecords = new BadRecords(plan, {
      letters: host.letters,
      now: () => host.clock.now(),
      warn: (error, message) => this.#warn(error, message),
      fail: (error) => this.#fail(error),
      resume: (input) => this.#resume(input, () => this.#reader.pass(input)),
    });
    this.#reader = new RecordReader(this.#fetcher, {
      fetchFailed: (input, error) => {
        const move = (offset: number): void => this.#resume(input, () => this.#reader.pass(input, offset));
        if (!bad.unreadable(input, error, move)) this.#fetchFailed(input, error);
      },
      recordFailed: (input, batch, at, error) => bad.failed(input, batch, at, error),
      progressed: () => this.#progressed(),
      make: plan.explicit
        ? (record, input) => new GroupRecord(record, (offset) => this.#mark(input, offset))
        : undefined,
    });
    host.readings.add(this);
    host.keepAlive.hold();
    this.#unheard = plan.signal && onAbort(plan.signal, this.#aborted);
    this.#started = plan.signal?.aborted === true ? Promise.resolve(this.#aborted()) : this.#start();
  }

  /** How it ended; `undefined` while it is open. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  next(): StreamRecord<unknown, unknown> | undefined {
    if (this.#outcome !== undefined) return undefined;
    const record = this.#reader.next();
    if (record === undefined) this.#checkEnd();
    return record;
  }

  /** The last delivered record has been processed. */
  processed(): void {
    this.#reader.processed();
  }

  /** The client is closing: an endless subscription completes; one that has not reached its end fails. */
  clientClosed(): Promise<void> {
    this.#end(this.#plan.until === undefined ? 'complete' : { error: clientClosed() });
    return this.close();
  }

  /** The last commit of a subscription that has read to its end. @throws the error that prevented the commit. */
  async finish(): Promise<void> {
    try {
      if (!this.#plan.explicit && this.#closing === undefined) await this.#member?.commit();
    } finally {
      await this.close();
    }
  }

  /** Releases everything; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Looks for new partitions and topics now; never rejects. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #start(): Promise<void> {
    try {
      await this.#locate();
      this.#located = true;
      const { partitions, until } = this.#plan;
      if (until === undefined && partitions === undefined)
        this.#refreshAfter(refreshMs(this.#plan, this.#host.transport.kind));
      this.#ready();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #locate(): Promise<void> {
    const fresh = await this.#finder.find();
    if (this.#outcome !== undefined || fresh.length === 0) return;
    if (this.#plan.group !== undefined) await this.#join(this.#plan.group);
    else
      for (const { end, partition, start, topicId, use } of fresh) {
        this.#drop({ topic: use.name, partition });
        this.#reader.add(new ReadInput(use, partition, start, end, -1, { topicId }));
      }
  }

  /** Stops reading a partition of a deleted topic. */
  #drop(partition: TopicPartition): void {
    const id = partitionId(partition);
    for (const input of this.#reader.inputs.filter((each) => partitionId(each) === id)) this.#reader.remove(input);
  }

  #refreshAfter(ms: number): void {
    this.#refreshTimer = this.#host.clock.after(ms, () => {
      void this.refresh().then(() => {
        if (this.#outcome === undefined) this.#refreshAfter(ms);
      });
    });
  }

  async #refresh(): Promise<void> {
    const { partitions, until } = this.#plan;
    if (!this.#located || this.#outcome !== undefined || until !== undefined || partitions !== undefined) return;
    try {
      await this.#locate();
      this.#ready();
    } catch (error) {
      if (error instanceof MillraceError && END_CODES.has(error.code)) this.#fail(error);
      else this.#warn(error, 'looking for new partitions failed; trying again');
    }
  }

  /** Joins the group, or rejoins it with more partitions. */
  async #join(group: string): Promise<void> {
    // Records delivered between the last commit and the end of the membership would be read again.
    this.#reader.pause();
    await this.#leave();
    if (this.#outcome !== undefined) return;
    const member = new GroupMember(this.#host.transport, group, this.#finder.all, this.#plan.explicit, {
      inputs: () => this.#reader.inputs,
      start: (partition) => {
        const found = this.#finder.get(partition);
        return found && { offset: found.start, topicId: found.topicId };
      },
      assigned: (assigned, committed) => this.#assigned(assigned, committed),
      revoked: (revoked) => this.#revoked(revoked),
      ready: this.#ready,
      failed: (error) => this.#fail(error),
      warn: (error, message) => this.#warn(error, message),
    });
    this.#member = member;
    await member.join();
  }

  #assigned(partitions: readonly TopicPartition[], committed: ReadonlyMap<string, CommittedOffset>): void {
    for (const at of partitions) {
      const found = this.#finder.get(at);
      if (found === undefined) continue;
      const { leaderEpoch, offset } = committed.get(partitionId(at)) ?? ({} as Partial<CommittedOffset>);
      const { end, start, topicId, use } = found;
      const origin = { topicId, leaderEpoch };
      this.#reader.add(new ReadInput(use, at.partition, offset ?? start, end, offset, origin));
    }
  }

  #revoked(partitions: readonly TopicPartition[]): readonly ReadInput[] {
    const ids = new Set(partitions.map(partitionId));
    const inputs = this.#reader.inputs.filter((input) => ids.has(partitionId(input)));
    for (const input of inputs) this.#reader.remove(input);
    return inputs;
  }

  async #mark(input: ReadInput, offset: number): Promise<void> {
    if (this.#closing === undefined) return this.#member?.mark(input, offset);
    const member = this.#member;
    await this.#closing;
    // A program that processes asynchronously commits the last records after the subscription has ended.
    return member?.markLate(input, offset);
  }

  #progressed(): void {
    if (this.#member === undefined || this.#plan.explicit || this.#commitTimer !== undefined) return;
    this.#commitTimer = this.#host.clock.after(this.#plan.commitMs, () => {
      this.#commitTimer = undefined;
      void this.#autoCommit();
    });
  }

  async #autoCommit(): Promise<void> {
    try {
      await this.#member?.commit();
    } catch (error) {
      const { errorClass } = error as MillraceError;
      if (errorClass !== 'migrated' && errorClass !== 'retriable') return this.#fail(error);
      this.#warn(error, 'a commit failed; the next one tries again');
      this.#progressed();
    }
  }

  #checkEnd(): void {
    if (this.#outcome !== undefined || !this.#located || this.#plan.until === undefined) return;
    if (this.#member?.assigned === false) return;
    if (!this.#reader.inputs.every((input) => input.done && !input.paused)) return;
    if (this.#lookedAgain || this.#plan.partitions !== undefined) this.#end('complete');
    else void this.#lookAgain();
  }

  /** Partitions may have been added since the start, with records that this subscription should read. */
  async #lookAgain(): Promise<void> {
    this.#lookedAgain = true;
    this.#located = false;
    try {
      await this.#locate();
      this.#located = true;
      this.#ready();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fetchFailed(input: ReadInput, error: MillraceError): void {
    const { outOfRange, pattern } = this.#plan;
    if (error.code === 'ERR_UNKNOWN_TOPIC' && pattern !== undefined) {
      this.#forget(input);
      return;
    }
    if (error.code === 'ERR_TOPIC_RECREATED' && goesOn(this.#plan)) {
      this.#warn(error, 'the new topic is read from its start');
      this.#forget(input);
      void this.refresh();
      return;
    }
    if (error.code !== 'ERR_OFFSET_OUT_OF_RANGE' || outOfRange === 'fail') {
      this.#fail(error);
      return;
    }
    this.#warn(error, `records are gone; reading continues from the ${outOfRange} offset`);
    void this.#jump(input, outOfRange);
  }

  #forget(input: ReadInput): void {
    this.#reader.remove(input);
    this.#finder.forget(input);
  }

  async #jump(input: ReadInput, to: 'earliest' | 'latest'): Promise<void> {
    try {
      const offsets = await this.#host.transport.offsets(input.topic, to, [input.partition]);
      this.#resume(input, () => this.#reader.seek(input, offsets.get(input.partition) ?? 0));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Continues a paused partition, unless it is no longer read. */
  #resume(input: ReadInput, move: () => void): void {
    if (!this.#reader.inputs.includes(input)) return;
    move();
    input.paused = false;
    this.#ready();
  }

  readonly #aborted = (): void => this.#end({ error: this.#plan.signal?.reason });

  #fail(error: unknown): void {
    this.#end({ error });
  }

  #end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#ready();
  }

  async #close(): Promise<void> {
    this.#end('complete');
    this.#commitTimer?.();
    this.#refreshTimer?.();
    this.#unheard?.();
    await this.#started;
    await this.#refreshing;
    for (const part of [() => this.#leave(), () => this.#fetcher.close()]) {
      try {
        await part();
      } catch (error) {
        this.#warn(error, 'closing a subscription failed');
      }
    }
    this.#host.keepAlive.release();
    this.#host.readings.delete(this);
  }

  async #leave(): Promise<void> {
    await this.#member?.leave();
    this.#reader.clear();
  }

  #warn(error: unknown, message: string): void {
    const { code, message: text, offset, partition, topic } = error as MillraceError;
    this.#host.logger.warn({ step: this.#plan.step, code, error: text, topic, partition, offset }, message);
  }
}
