import type { MillraceError } from '../errors.ts';
import type { StreamRecord } from '../record.ts';
import type { RecordPolicy } from '../record-policy.ts';
import { rawRecord } from '../runtime/decode.ts';
import type { Logger } from '../runtime/logger.ts';
import { asRecordError, deadLetterHeaders, isDeadLetter } from '../runtime/record-failures.ts';
import type { FetchedBatch, Fetcher, TopicPartition, Transport } from '../runtime/transport.ts';
import { bytes, nullable, type Serde } from '../serdes/index.ts';
import type { Cancel, Clock } from '../topology/clock.ts';
import type { TopicUse } from '../topology/node.ts';
import { GroupRecord } from './committable-record.ts';
import { clientClosed } from './failures.ts';
import { GroupMember, notOwned, partitionId } from './group-member.ts';
import type { KeepAlive } from './keep-alive.ts';
import { checkPartitions, endOffsets, type Offsets, startOffsets } from './positions.ts';
import type { PublishRecord } from './published.ts';
import { ReadInput } from './read-input.ts';
import type { ReadFrom } from './read-options.ts';
import type { ReadPlan } from './read-plan.ts';
import { RecordReader } from './record-reader.ts';
import { ensureTopic } from './topic-writer.ts';

/** What a subscription needs of its client. */
export interface ReadingHost {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly keepAlive: KeepAlive;
  readonly publish: (use: TopicUse, record: PublishRecord<unknown, unknown>) => Promise<unknown>;
  /** Subscriptions that are open. */
  readonly readings: Set<Reading>;
}

/** How a subscription ended. */
export type Outcome = { readonly error: unknown } | 'complete';

const RAW = nullable(bytes()) as Serde<unknown>;

/**
 * One subscription: finds its partitions, reads them, commits for its group, and lets go of everything at the end. Records
 * are pulled; `ready` is called when pulling may have something new to say.
 */
export class Reading {
  readonly #plan: ReadPlan;
  readonly #host: ReadingHost;
  readonly #ready: () => void;
  readonly #fetcher: Fetcher;
  readonly #reader: RecordReader;
  readonly #started: Promise<void>;
  /** Partitions that are read, or by the group, and where they end. */
  readonly #known = new Map<string, { readonly use: TopicUse; readonly at: TopicPartition; readonly end: number }>();
  /** Where partitions begin that were found after the start. */
  #late: ReadFrom | undefined;
  #member: GroupMember | undefined;
  #located = false;
  #outcome: Outcome | undefined;
  #commitTimer: Cancel | undefined;
  #refreshTimer: Cancel | undefined;
  #closing: Promise<void> | undefined;

  constructor(plan: ReadPlan, host: ReadingHost, ready: () => void) {
    this.#plan = plan;
    this.#host = host;
    this.#ready = ready;
    this.#fetcher = host.transport.fetcher({ isolation: plan.isolation, onReady: ready });
    this.#reader = new RecordReader(this.#fetcher, {
      fetchFailed: (input, error) => this.#fetchFailed(input, error),
      recordFailed: (input, batch, at, error) => this.#recordFailed(input, batch, at, error),
      progressed: () => this.#progressed(),
      make: plan.explicit
        ? (record, input) => new GroupRecord(record, (offset) => this.#mark(input, offset))
        : undefined,
    });
    host.readings.add(this);
    host.keepAlive.hold();
    plan.signal?.addEventListener('abort', this.#aborted, { once: true });
    this.#started = plan.signal?.aborted === true ? Promise.resolve(this.#aborted()) : this.#start();
  }

  /** How it ended, once it has: nothing more comes. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  next(): StreamRecord<unknown, unknown> | undefined {
    if (this.#outcome !== undefined) return undefined;
    const record = this.#reader.next();
    if (record === undefined) this.#checkEnd();
    return record;
  }

  /** The record that was handed out last has been processed. */
  processed(): void {
    this.#reader.processed();
  }

  /** The client is being closed: an endless subscription completes, one with an end did not reach it. */
  clientClosed(): Promise<void> {
    this.#end(this.#plan.until === undefined ? 'complete' : { error: clientClosed() });
    return this.close();
  }

  /** The last commit of a subscription that has read to its end. @throws whatever kept it from committing. */
  async finish(): Promise<void> {
    try {
      if (!this.#plan.explicit && this.#closing === undefined) await this.#member?.commit();
    } finally {
      await this.close();
    }
  }

  /** Lets go of everything; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end('complete');
    this.#commitTimer?.();
    this.#refreshTimer?.();
    this.#plan.signal?.removeEventListener('abort', this.#aborted);
    try {
      await this.#started;
      await this.#leave();
      await this.#fetcher.close();
    } catch (error) {
      this.#warn(error, 'closing a subscription failed');
    }
    this.#host.keepAlive.release();
    this.#host.readings.delete(this);
  }

  async #leave(): Promise<void> {
    const member = this.#member;
    this.#member = undefined;
    if (member === undefined) return;
    try {
      if (!this.#plan.explicit) await member.commit();
    } catch (error) {
      this.#warn(error, 'the last commit of a subscription failed; its records are read again');
    }
    await member.leave();
    for (const input of [...this.#reader.inputs]) {
      input.owned = false;
      this.#reader.remove(input);
    }
  }

  readonly #aborted = (): void => this.#end({ error: this.#plan.signal?.reason });

  #end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#ready();
  }

  #fail(error: unknown): void {
    this.#end({ error });
  }

  async #start(): Promise<void> {
    try {
      await this.#locate();
      this.#late = typeof this.#plan.from === 'object' && 'time' in this.#plan.from ? this.#plan.from : 'earliest';
      this.#located = true;
      const { partitions, until, refreshMs } = this.#plan;
      if (until === undefined && partitions === undefined) this.#refreshAfter(refreshMs);
      this.#ready();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Finds partitions that are not known yet, and reads them. */
  async #locate(): Promise<void> {
    const found = await Promise.all((await this.#uses()).map((use) => this.#describe(use)));
    const fresh = found.flat().filter(({ at }) => !this.#known.has(partitionId(at)));
    if (this.#outcome !== undefined) return;
    for (const each of fresh) this.#known.set(partitionId(each.at), each);
    if (this.#plan.group !== undefined) {
      if (fresh.length > 0) await this.#join(this.#plan.group);
      return;
    }
    for (const { use, at, start, end } of fresh) this.#reader.add(new ReadInput(use, at.partition, start, end));
  }

  async #uses(): Promise<readonly TopicUse[]> {
    const { pattern, topics } = this.#plan;
    if (pattern === undefined) return topics;
    const names = await this.#host.transport.topics.list();
    return names.filter((name) => pattern.test(name)).map((name) => ({ name, ...pattern.use }));
  }

  async #describe(use: TopicUse): Promise<{ use: TopicUse; at: TopicPartition; start: number; end: number }[]> {
    const { from, group, until, partitions: wanted } = this.#plan;
    const { transport } = this.#host;
    const description = await ensureTopic(transport, use);
    const partitions = checkPartitions(use.name, wanted, description.partitions);
    const fresh = partitions.filter((partition) => !this.#known.has(partitionId({ topic: use.name, partition })));
    if (fresh.length === 0) return [];
    const starting: Promise<Offsets> | Offsets =
      group === undefined ? startOffsets(transport, this.#late ?? from, use.name, fresh) : new Map();
    const [starts, ends] = await Promise.all([starting, endOffsets(transport, until, use.name, fresh)]);
    return fresh.map((partition) => ({
      use,
      at: { topic: use.name, partition },
      start: starts.get(partition) ?? 0,
      end: ends.get(partition) ?? Number.POSITIVE_INFINITY,
    }));
  }

  /** Joins the group, or joins it anew with more partitions. */
  async #join(group: string): Promise<void> {
    await this.#leave();
    if (this.#outcome !== undefined) return;
    const targets = this.#plan.explicit
      ? (input: ReadInput): number => this.#marks.get(input) ?? 0
      : (input: ReadInput): number => input.processed;
    const partitions = [...this.#known.values()].map(({ at }) => at);
    const late = this.#late;
    this.#member = new GroupMember(this.#host.transport, group, partitions, () => this.#reader.inputs, targets, {
      assigned: (assigned, committed) => this.#assigned(assigned, committed, late),
      revoked: (revoked) => this.#revoked(revoked),
      failed: (error) => this.#fail(error),
      warn: (error, message) => this.#warn(error, message),
    });
    await this.#member.join();
  }

  async #assigned(
    partitions: readonly TopicPartition[],
    committed: ReadonlyMap<string, number>,
    late: ReadFrom | undefined,
  ): Promise<void> {
    for (const at of partitions) {
      const known = this.#known.get(partitionId(at));
      if (known === undefined) continue;
      const { topic, partition } = at;
      const start =
        committed.get(partitionId(at)) ??
        (await startOffsets(this.#host.transport, late ?? this.#plan.from, topic, [partition])).get(partition) ??
        0;
      this.#reader.add(new ReadInput(known.use, partition, start, known.end));
    }
    // Resolves after `assigned` is set.
    queueMicrotask(() => queueMicrotask(this.#ready));
  }

  #revoked(partitions: readonly TopicPartition[]): readonly ReadInput[] {
    const ids = new Set(partitions.map(partitionId));
    const inputs = this.#reader.inputs.filter(({ use, partition }) =>
      ids.has(partitionId({ topic: use.name, partition })),
    );
    for (const input of inputs) this.#reader.remove(input);
    return inputs;
  }

  /** What the program has committed, by partition. */
  readonly #marks = new WeakMap<ReadInput, number>();

  async #mark(input: ReadInput, offset: number): Promise<void> {
    const member = this.#member;
    const group = this.#plan.group as string;
    if (member === undefined || !input.owned) throw notOwned(group, input);
    if (offset > (this.#marks.get(input) ?? 0)) this.#marks.set(input, offset);
    await member.commit();
    if (input.committed < offset) throw notOwned(group, input);
  }

  #progressed(): void {
    if (this.#plan.group === undefined || this.#plan.explicit || this.#commitTimer !== undefined) return;
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
      this.#warn(error, 'a commit failed; it is tried again with the next one');
      this.#progressed();
    }
  }

  #checkEnd(): void {
    if (this.#outcome !== undefined || !this.#located || this.#plan.until === undefined) return;
    if (this.#member?.assigned === false || this.#reader.inputs.some((input) => input.paused)) return;
    if (this.#reader.done) this.#end('complete');
  }

  #refreshAfter(ms: number): void {
    this.#refreshTimer = this.#host.clock.after(ms, () => {
      void this.refresh().then(() => {
        if (this.#outcome === undefined) this.#refreshAfter(ms);
      });
    });
  }

  #refreshing: Promise<void> | undefined;

  /** Looks for new partitions and topics now. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    if (!this.#located || this.#outcome !== undefined || this.#plan.until !== undefined) return;
    if (this.#plan.partitions !== undefined) return;
    try {
      await this.#locate();
      this.#ready();
    } catch (error) {
      this.#warn(error, 'looking for new partitions failed; it is tried again');
    }
  }

  #fetchFailed(input: ReadInput, error: MillraceError): void {
    const { outOfRange, pattern } = this.#plan;
    if (error.code === 'ERR_UNKNOWN_TOPIC' && pattern !== undefined) {
      this.#reader.remove(input);
      this.#known.delete(partitionId({ topic: input.use.name, partition: input.partition }));
      return;
    }
    if (error.code !== 'ERR_OFFSET_OUT_OF_RANGE' || outOfRange === 'fail') {
      this.#fail(error);
      return;
    }
    this.#warn(error, `records are gone; reading goes on from the ${outOfRange} offset`);
    void this.#jump(input, outOfRange);
  }

  async #jump(input: ReadInput, to: 'earliest' | 'latest'): Promise<void> {
    try {
      const { partition, use } = input;
      const offset = (await this.#host.transport.offsets(use.name, to, [partition])).get(partition) ?? 0;
      if (!this.#reader.inputs.includes(input)) return;
      this.#reader.seek(input, offset);
      input.paused = false;
      this.#ready();
    } catch (error) {
      this.#fail(error);
    }
  }

  #recordFailed(input: ReadInput, batch: FetchedBatch, at: number, cause: unknown): boolean {
    const policy: RecordPolicy = this.#plan.onRecordError ?? input.use.onRecordError ?? 'fail';
    const origin = rawRecord(batch, at, input.use.name, input.partition);
    const { group, step } = this.#plan;
    const place = { step, ...(group === undefined ? {} : { applicationId: group }) };
    const error = asRecordError(cause, place, origin);
    if (policy === 'fail' || error.errorClass !== 'record') {
      this.#fail(error);
      return false;
    }
    if (policy === 'skip') {
      this.#warn(error, 'a record was left out');
      return true;
    }
    if (isDeadLetter(policy)) {
      const headers = deadLetterHeaders(error, place, origin);
      const { key, timestamp, value } = origin;
      const record = { key, value, timestamp: Math.max(0, timestamp), headers };
      void this.#deadLetter(input, policy.deadLetter, record, error);
    }
    return false;
  }

  async #deadLetter(
    input: ReadInput,
    topic: string,
    record: PublishRecord<Uint8Array | null, Uint8Array>,
    error: MillraceError,
  ): Promise<void> {
    try {
      await this.#host.transport.topics.create(topic, { ifMissing: true });
      await this.#host.publish({ name: topic, key: RAW, value: RAW }, record);
      this.#warn(error, `a record went to the dead-letter topic ${topic}`);
      if (this.#reader.inputs.includes(input)) this.#reader.pass(input);
      input.paused = false;
      this.#ready();
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #warn(error: unknown, message: string): void {
    const { code, message: text, topic, partition, offset } = error as MillraceError;
    this.#host.logger.warn({ step: this.#plan.step, code, error: text, topic, partition, offset }, message);
  }
}
