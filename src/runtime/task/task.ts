import { Subscription } from 'rxjs';
import type { Clock } from '../../dataflow/clock.ts';
import type { EmittedRow } from '../../dataflow/emitted-row.ts';
import type { GlobalRows } from '../../dataflow/global-source.ts';
import { failedIn } from '../../dataflow/input-subscriber.ts';
import { type NodePlace, type TopicUse, topicName } from '../../dataflow/node.ts';
import { TaskOutlets } from '../../dataflow/port.ts';
import { withScope } from '../../dataflow/scope.ts';
import type {
  Deferred,
  InputOrigin,
  KeyGuard,
  Output,
  TaskContext,
  TaskCounters,
} from '../../dataflow/task-context.ts';
import { type TaskTime, UNLIMITED } from '../../dataflow/task-time.ts';
import type { MillraceError } from '../../errors.ts';
import { type Logger, noLogger } from '../../log/logger.ts';
import { OutputBuffers } from '../../log/outputs.ts';
import type { OutgoingBatch } from '../../log/transport.ts';
import { StepMeters } from '../../metrics/step-meters.ts';
import type { Stage } from '../../plan/stages.ts';
import type { Lateness, StreamRecord } from '../../record.ts';
import type { ByteStore, StoreWrites } from '../../state/byte-store.ts';
import { boundedStore } from '../../state/cache-budget.ts';
import type { StateHolder } from '../../state/state-holder.ts';
import { AsyncWorkers } from './async-workers.ts';
import { DeferredWork } from './deferred-work.ts';
import { Fingerprints } from './fingerprints.ts';
import { checkHeld, checkStart } from './held-check.ts';
import { HeldRecords } from './held-records.ts';
import type { InputQueue, RecordFailed } from './input-queue.ts';
import { type BatchFailed, InputSet } from './input-set.ts';
import { keyGuardOf } from './key-guard.ts';
import { endOf } from './pipeline-end.ts';
import { PositionKeeper } from './state-positions.ts';
import { TaskFailures } from './task-failures.ts';
import type { TaskHost, TaskProgress } from './task-host.ts';
import { TaskOrigins } from './task-origins.ts';
import { TaskReach } from './task-reach.ts';
import { TaskScope } from './task-scope.ts';
import { TimeFollowers } from './time-followers.ts';

/** A turn ends early when it has written this much. */
const TURN_OUTPUT_BYTES = 4 * 1024 * 1024;

/**
 * One stage on one partition: its instance of the operator chain, its inputs, state and outputs. It is completely
 * synchronous: work only happens in turns, and {@link takeProgress} returns the results.
 */
export class Task implements TaskContext {
  readonly id: string;
  readonly stage: Stage;
  readonly applicationId: string;
  readonly partition: number;
  readonly clock: Clock;
  readonly cacheEntries: number;
  readonly time: TaskTime;
  readonly reach: TaskReach;
  readonly counters: TaskCounters = { recordsIn: 0, recordsOut: 0, late: 0, dropped: 0, skipped: 0, deadLettered: 0 };
  readonly meters: StepMeters;
  inTurn = false;
  row: EmittedRow | undefined;
  /** Wall time spent in turns, in ms. */
  turnMs = 0;
  readonly #host: TaskHost;
  readonly #logger: Logger;
  readonly #inputs: InputSet;
  readonly #origins: TaskOrigins;
  readonly #outputs: OutputBuffers;
  /** Its seat in the shared outputs. */
  readonly #seat: number;
  readonly #failures: TaskFailures;
  readonly #fingerprints: Fingerprints;
  readonly #keeper: PositionKeeper;
  readonly #holders: StateHolder[] = [];
  readonly #workers = new AsyncWorkers();
  readonly #deferred = new DeferredWork();
  readonly #followers = new TimeFollowers(this.#deferred);
  readonly #held = new HeldRecords();
  readonly #next = (): number | undefined => this.#inputs.nextTimestamp();
  readonly #checkHeld = (): void => checkHeld(this.#held, this.#host.topology, this.#failures, this.reach.completed);
  readonly #subscriptions = new Subscription();
  #dirty = false;
  /** Whether it is moving to another process: it only finishes what it has begun. */
  #retired = false;
  /** Size of the outputs at which the turn ends. */
  #full = 0;

  constructor(stage: Stage, partition: number, positions: ReadonlyMap<string, number>, host: TaskHost) {
    this.id = `${stage.name}/${partition}`;
    this.stage = stage;
    this.partition = partition;
    this.applicationId = host.applicationId;
    this.clock = host.clock;
    this.cacheEntries = host.cacheEntries;
    this.#host = host;
    this.meters = host.meters ?? new StepMeters();
    this.time = host.time ?? UNLIMITED;
    this.#logger = host.logger ?? noLogger;
    const failed: RecordFailed = (error, step, meter) => failedIn(step, meter, this, error);
    const unreadable: BatchFailed = (range) => this.#origins.during(range.origin, () => this.#failures.batch(range));
    this.#inputs = new InputSet(stage.inputs, partition, positions, host, failed, unreadable, this.#deferred);
    this.#origins = new TaskOrigins(host, this, this.#inputs, (...refusal) => this.#failures.refused(...refusal));
    this.#inputs.follow = () => this.#followTime();
    this.reach = new TaskReach(this.#inputs, host, () => this.#followers.holds());
    this.#outputs = host.outputs ?? new OutputBuffers((topic) => host.outputTopic(topic), this.#origins);
    this.#seat = host.outputs?.join(this.#origins) ?? -1;
    this.#failures = new TaskFailures(host, stage, this.#outputs, this.counters);
    this.#fingerprints = new Fingerprints(host.stores, host.applicationId, partition);
    this.#holders.push(this.#fingerprints);
    const { applicationId, inputTopics = new Map(), trails } = host;
    const heard = (topic: string): string | undefined => host.time?.describe(topic) ?? this.#inputs.kept(topic);
    this.#keeper = new PositionKeeper(applicationId, partition, stage.stores, inputTopics, heard, trails);
    this.#connect();
  }

  /** Why the task cannot continue; its host decides what follows. */
  get failure(): MillraceError | undefined {
    return this.#failures.failure;
  }

  #connect(): void {
    const scope = new TaskScope(this.#host.topology, this.stage, this, this.#held);
    withScope(scope, () => {
      for (const root of this.#host.topology.roots) {
        this.#subscriptions.add(root.subscribe(endOf(root, this, this.#host.topology, this.#logger)));
      }
    });
    checkStart(this.#held, this.#host.topology, this.#failures);
    if (this.failure === undefined) this.#inputs.checkConsumed(this.stage.name);
    if (this.failure !== undefined) throw this.failure;
  }

  /** Begins a turn with finished asynchronous work. @returns Whether the task can have a turn. */
  beginTurn(): boolean {
    if (this.failure !== undefined || (this.#retired && this.pendingAsync() === 0)) return false;
    this.#inputs.refuseAfter(this.clock.now() + this.#host.maxFutureMs);
    this.#full = this.#outputs.bytes + TURN_OUTPUT_BYTES;
    this.#within(this.#drain);
    this.#followTime();
    return true;
  }

  /** Timestamp of the next record that the task can take; `undefined` if none is available or it can take none. */
  nextTimestamp(): number | undefined {
    if (this.failure !== undefined || this.reach.completed || this.#retired || this.#workers.full) return undefined;
    return this.#within(this.#next);
  }

  /**
   * Continues a turn with records up to a timestamp.
   *
   * @returns Records processed; fewer than `most` if the next one is later or unavailable, or if the turn is full.
   */
  advance(most: number, latest: number): number {
    // Records after the end are left for the next run, because their results would be lost.
    if (this.reach.completed || this.#retired) return 0;
    let done = 0;
    this.#host.outputs?.enter(this.#seat);
    this.inTurn = true;
    // What the loop asks for each record is a field, so that V8 inlines it.
    const outputs = this.#outputs;
    const failures = this.#failures;
    const workers = this.#workers.any ? this.#workers : undefined;
    const limit = failures.failure === undefined && workers?.full !== true ? most : 0;
    try {
      while (done < limit && this.#inputs.stepUpTo(latest)) {
        done += 1;
        if (outputs.bytes > this.#full || failures.failure !== undefined || workers?.full === true) break;
      }
    } catch (error) {
      this.#failures.fail(error);
    } finally {
      this.inTurn = false;
      this.#inputs.rest();
    }
    this.#followTime();
    this.counters.recordsIn += done;
    if (done > 0) this.#dirty = true;
    return done;
  }

  /** Whether the turn has written enough to end early: large records would fill memory long before its end. */
  get turnIsFull(): boolean {
    return this.#outputs.bytes > this.#full;
  }

  endTurn(): void {
    this.#followTime();
    this.#within(this.#checkHeld);
  }

  #within<T>(work: () => T): T | undefined {
    this.#host.outputs?.enter(this.#seat);
    const outer = this.inTurn;
    this.inTurn = true;
    try {
      const result = work();
      this.settle();
      return result;
    } catch (error) {
      this.#failures.fail(error);
      return undefined;
    } finally {
      this.inTurn = outer;
    }
  }

  /** Runs `work` as a turn without a record, such as at the end of the input. */
  #asTurn(work: () => void): void {
    this.#within(work);
    this.#within(this.#checkHeld);
    this.#dirty = true;
  }

  /** @returns Whether the task goes on. */
  #followTime(): boolean {
    if (this.reach.hasRisen()) this.advanceTime();
    return this.failure === undefined;
  }

  /** Called when the limit of the task's time has risen: runs what waited for that. */
  advanceTime(): void {
    if (this.failure !== undefined) return;
    this.#asTurn(this.#followers.advance);
  }

  /** Increases with everything that reaches the steps. */
  get activity(): number {
    return this.counters.recordsIn + this.#workers.done;
  }

  /** Whether everything known to exist is done, so that only time can cause more work. */
  get isSilent(): boolean {
    const works = this.failure === undefined && !this.reach.completed && !this.#retired;
    return works && this.reach.atEnd && this.pendingAsync() === 0;
  }

  /** Advances the time of the steps after a silence of this length. */
  tick(elapsedMs: number): void {
    this.#asTurn(() => this.#followers.tick(elapsedMs));
  }

  /** How far stream time must advance for something to be due; `Infinity` if nothing waits. */
  nextTickMs(): number {
    return this.#followers.nextTickMs();
  }

  /** The bounded input is used up: closes open windows on request and completes the chain. */
  end(openWindows: 'keep' | 'close'): void {
    this.#asTurn(() => openWindows === 'close' && this.#followers.closeAll());
  }

  /** Tells plain RxJS operators that the input is complete. */
  complete(): void {
    this.reach.completed = true;
    this.#asTurn(() => this.#inputs.complete());
  }

  /** Takes no more records: a commit that starts after this covers all its work. */
  readonly retire = (): void => void (this.#retired = true);

  readonly #drain = (): void => void (this.#dirty = this.#workers.drain() || this.#dirty);

  /** Asynchronous calls that a commit must wait for. */
  pendingAsync(): number {
    return this.#workers.pending();
  }

  readonly waitsForClock: AsyncWorkers['waitsForClock'] = () => this.#workers.waitsForClock();

  /** Whether there is something to commit. */
  get dirty(): boolean {
    return this.#dirty || this.#inputs.moved;
  }

  /** Whether every input has been read to `end(topic)`. */
  readTo(end: (topic: string) => number | undefined): boolean {
    this.#host.outputs?.enter(this.#seat);
    const read = this.#inputs.readTo(end);
    this.#followTime();
    return read;
  }

  /** Returns the work since the last call. The caller commits it, then calls {@link committed}. */
  takeProgress(): TaskProgress {
    const state: StoreWrites[] = [];
    for (const holder of this.#holders) holder.collect(state);
    this.#dirty = false;
    const outputs = this.#host.outputs === undefined ? this.#outputs.take() : [];
    const offsets = this.#keeper.keep(this.#inputs, state);
    return { outputs, state, offsets, newest: this.#inputs.newest(offsets) };
  }

  committed(): void {
    for (const holder of this.#holders) holder.committed();
  }

  /** Returns output builders that the log has copied, for reuse. */
  readonly recycle = (batches: readonly OutgoingBatch[]): void => this.#outputs.recycle(batches);

  close(): void {
    this.#host.outputs?.leave(this.#seat);
    this.#subscriptions.unsubscribe();
  }

  // ------------------------------------------------------------------ for the instances inside

  readonly onTeardown = (teardown: () => void): void => this.#subscriptions.add(teardown);

  openStore(name: string): ByteStore {
    const use = this.stage.stores.find((store) => store.name === name);
    if (use !== undefined) this.#fingerprints.check(use, this.stage.name);
    const store = this.#host.stores.open({ applicationId: this.applicationId, store: name, partition: this.partition });
    return boundedStore(store, this.#host.cacheBudget, (teardown) => this.onTeardown(teardown));
  }

  readonly addState = (holder: StateHolder): void => void this.#holders.push(holder);

  readonly addTimeFollower: TaskContext['addTimeFollower'] = this.#followers.add;

  readonly addAsyncWorker: TaskContext['addAsyncWorker'] = this.#workers.add;

  readonly wake = (): void => this.#host.wake();

  readonly followTime = (): void => this.#followers.advance();

  readonly outlets: TaskContext['outlets'] = new TaskOutlets().of;
  readonly defer = (work: Deferred): void => this.#deferred.add(work);
  readonly settle = (): void => this.#deferred.settle();

  readonly global = (topic: TopicUse): GlobalRows => this.#host.globalRows(topic.name);

  readonly consume: TaskContext['consume'] = (topic, consumer) =>
    this.#inputs.add(topicName(topic, this.applicationId), consumer);

  output(topic: TopicUse): Output {
    return this.reach.watched(this.#outputs.topic(topicName(topic, this.applicationId)));
  }

  readonly found: TaskContext['found'] = ({ name }) => this.#inputs.foundBy(name);
  readonly origin = (): InputOrigin => this.#origins.origin();
  readonly resume = (origin: InputOrigin | undefined): void => this.#origins.resume(origin);

  keyGuard({ keySerde }: NodePlace): KeyGuard | undefined {
    return keyGuardOf(this, this.stage.inputs, (name) => this.#host.inputPartitions(name), keySerde);
  }

  recordFailed(error: unknown, step: string): void {
    this.#failures.record(error, step, this.origin());
  }

  emittedOutsideTurn(step: string): void {
    this.#failures.outsideTurn(step);
    this.wake();
  }

  chainFailed(error: unknown, step: string): void {
    this.#failures.chain(error, step, this.inTurn && !this.reach.completed ? this.origin() : undefined);
    if (!this.inTurn) this.wake();
  }

  dropped(reason: string, step: string): void {
    this.counters.dropped += 1;
    this.#logger.debug({ stage: this.stage.name, step, reason }, 'record dropped');
  }

  late(record: StreamRecord<unknown, unknown>, lateness: Lateness): void {
    this.counters.late += Math.max(1, lateness.missed.length);
    this.#host.late?.(record, lateness, this.stage);
    this.#logger.debug({ stage: this.stage.name, step: lateness.step, streamTime: lateness.streamTime }, 'record late');
  }

  // ------------------------------------------------------------------ for snapshots

  readonly lastInput = (): InputQueue | undefined => this.#inputs.last;

  get inputs(): readonly InputQueue[] {
    return this.#inputs.queues;
  }

  get stores(): readonly StateHolder[] {
    return this.#holders.filter((holder) => holder !== this.#fingerprints);
  }

  /** Describes what keeps the task from taking a record; `undefined` if nothing does or there is none to take. */
  waitingFor(): string | undefined {
    return this.#workers.waitingFor() ?? this.#inputs.waitingFor();
  }
}
