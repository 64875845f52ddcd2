import type { NodePlace } from '../dataflow/node.ts';
import { PendingTimes } from '../dataflow/pending-times.ts';
import type { AsyncWorker, InputOrigin, TaskContext } from '../dataflow/task-context.ts';
import type { KeyId } from '../state/key-codec.ts';
import { AsyncAttempts, type AsyncOutcome } from './async-attempts.ts';
import type { AsyncLimits } from './async-limits.ts';
import { KeyChains } from './key-chains.ts';
import type { AsyncCall } from './map-async.ts';
import type { ValuedRecord } from './record-types.ts';

/** The most records held behind others of their key, per concurrent call. */
const HELD_PER_CALL = 16;

interface Slot<R, U> {
  readonly record: R;
  readonly origin: InputOrigin;
  readonly chain: KeyId | undefined;
  outcome: AsyncOutcome<U> | undefined;
}

/**
 * The calls of one `mapAsync` in one task. The records of a key form a chain in which only the first is being called;
 * finished records are emitted in the task's next turn.
 */
export class AsyncCalls<V, R extends ValuedRecord<V>, U> implements AsyncWorker {
  readonly step: string;
  readonly #attempts: AsyncAttempts<V, R, U>;
  readonly #concurrency: number;
  readonly #task: TaskContext;
  readonly #emit: (record: R, value: U) => void;
  /** Only one slot per key is being called. */
  readonly #chains: KeyChains<Slot<R, U>>;
  /** Slots to call as soon as there is room. */
  readonly #waiting: Slot<R, U>[] = [];
  /** Steps below will get these records after newer ones. */
  readonly #times: PendingTimes;
  #finished: Slot<R, U>[] = [];
  #running = 0;
  #pending = 0;
  #done: (() => void) | undefined;

  constructor(
    project: (value: V, call: AsyncCall<R>) => Promise<U> | U,
    limits: AsyncLimits,
    task: TaskContext,
    { keySerde, pending, step }: Pick<NodePlace, 'keySerde' | 'pending' | 'step'>,
    emit: (record: R, value: U) => void,
  ) {
    this.#attempts = new AsyncAttempts(step, project, limits, task.clock);
    this.#concurrency = limits.concurrency;
    this.#task = task;
    this.step = step;
    this.#chains = new KeyChains(keySerde);
    this.#times = pending ?? new PendingTimes();
    this.#emit = emit;
  }

  pending(): number {
    return this.#pending;
  }

  /** Records of one busy key must not block those of other keys, so they are counted separately. */
  full(): boolean {
    const most = this.#concurrency;
    return this.#pending - this.#chains.behind >= most || this.#pending >= HELD_PER_CALL * most;
  }

  get nextAt(): number | undefined {
    return this.#finished.length > 0 ? undefined : this.#attempts.nextAt(this.#running);
  }

  /** Whether no earlier record of this key is still in progress. */
  isFree(key: unknown): boolean {
    if (this.#pending === 0) return true;
    return this.#finished.length === 0 && this.#chains.isFree(this.#chains.of(key));
  }

  add(record: R): void {
    const chain = this.#chains.of(record.key);
    const slot: Slot<R, U> = { record, origin: this.#task.origin(), chain, outcome: undefined };
    this.#pending += 1;
    this.#times.add(record.timestamp);
    if (this.#chains.enter(chain, slot)) this.#start(slot);
  }

  drain(): number {
    if (this.#finished.length === 0) return 0;
    const finished = this.#finished;
    this.#finished = [];
    for (const { record, origin, outcome } of finished) {
      this.#pending -= 1;
      if (outcome !== undefined) {
        this.#task.resume(origin);
        if ('error' in outcome) this.#task.recordFailed(outcome.error, this.step);
        else this.#emit(record, outcome.value);
        this.#task.settle();
      }
      // Until the record has been through the steps below, their time must not pass it.
      if (!this.#times.remove(record.timestamp)) continue;
      this.#task.resume(undefined);
      this.#task.followTime();
    }
    this.#task.resume(undefined);
    if (this.#pending === 0) this.#done?.();
    return finished.length;
  }

  /** Calls back when the result of the last call has been emitted. */
  complete(done: () => void): void {
    if (this.#pending === 0) done();
    else this.#done = done;
  }

  abort(): void {
    this.#attempts.stop();
  }

  /** Queues one more slot, then starts as many queued calls as there is room for. */
  #start(next?: Slot<R, U>): void {
    if (next !== undefined) this.#waiting.push(next);
    while (this.#running < this.#concurrency) {
      const slot = this.#waiting.shift();
      if (slot === undefined) return;
      this.#running += 1;
      void this.#call(slot);
    }
  }

  async #call(slot: Slot<R, U>): Promise<void> {
    slot.outcome = await this.#attempts.of(slot.record);
    this.#running -= 1;
    if (this.#attempts.stopped) return;
    this.#finished.push(slot);
    this.#start(this.#chains.leave(slot.chain));
    this.#task.wake();
  }
}
