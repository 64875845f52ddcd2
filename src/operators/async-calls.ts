import type { NodePlace } from '../dataflow/node.ts';
import type { AsyncWorker, InputOrigin, TaskContext } from '../dataflow/task-context.ts';
import { MillraceError, RecordError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import { bytesId, type KeyId, keyId } from '../state/key-codec.ts';
import type { AsyncCall } from './map-async.ts';
import type { ValuedRecord } from './record-types.ts';

export interface AsyncLimits {
  readonly concurrency: number;
  readonly retries: number;
  readonly timeoutMs: number | undefined;
  readonly backoffMs: number;
}

/** Records that are held behind others of their key, at most, for each call that may be under way. */
const HELD_PER_CALL = 16;

interface Slot<R, U> {
  readonly record: R;
  readonly origin: InputOrigin;
  readonly chain: KeyId | undefined;
  outcome: { readonly value: U } | { readonly error: unknown } | undefined;
}

/**
 * The calls of one `mapAsync` in one task. Records of a key form a chain of which only the first is called; what is
 * finished is emitted in the task's next turn.
 */
export class AsyncCalls<V, R extends ValuedRecord<V>, U> implements AsyncWorker {
  readonly step: string;
  /** Of the keys that reach the step, as long as none was changed above it. */
  readonly #keySerde: Serde<unknown> | undefined;
  readonly #project: (value: V, call: AsyncCall<R>) => Promise<U> | U;
  readonly #limits: AsyncLimits;
  readonly #task: TaskContext;
  readonly #emit: (record: R, value: U) => void;
  readonly #stop = new AbortController();
  /** Per key, the slots behind the one that is being called. */
  readonly #chains = new Map<KeyId, Slot<R, U>[]>();
  /** Slots that may be called as soon as there is room. */
  readonly #waiting: Slot<R, U>[] = [];
  #finished: Slot<R, U>[] = [];
  /** When calls that have failed are made again, by the wall clock. */
  readonly #pauses = new Set<{ readonly until: number }>();
  #running = 0;
  #pending = 0;
  /** How many of the pending ones wait for another one of their key. */
  #behind = 0;
  #done: (() => void) | undefined;

  constructor(
    project: (value: V, call: AsyncCall<R>) => Promise<U> | U,
    limits: AsyncLimits,
    task: TaskContext,
    { keySerde, step }: Pick<NodePlace, 'keySerde' | 'step'>,
    emit: (record: R, value: U) => void,
  ) {
    this.#project = project;
    this.#limits = limits;
    this.#task = task;
    this.step = step;
    this.#keySerde = keySerde;
    this.#emit = emit;
  }

  /** Keys are one here when they are one in the stores and partitions that they come from. */
  #chainOf(key: unknown): KeyId | undefined {
    if (key === null || key === undefined || this.#keySerde === undefined) return chainOf(key);
    try {
      return keyId(key, this.#keySerde);
    } catch {
      // A plain operator has put in a key of another kind.
      return chainOf(key);
    }
  }

  pending(): number {
    return this.#pending;
  }

  /** Records of one busy key must not keep those of others from being called, so they are counted apart. */
  full(): boolean {
    const { concurrency } = this.#limits;
    return this.#pending - this.#behind >= concurrency || this.#pending >= HELD_PER_CALL * concurrency;
  }

  get nextAt(): number | undefined {
    if (this.#pauses.size === 0 || this.#pauses.size < this.#running || this.#finished.length > 0) return undefined;
    return Math.min(...Array.from(this.#pauses, ({ until }) => until));
  }

  /** Whether a record of this key would not be ahead of one that is under way. */
  isFree(key: unknown): boolean {
    if (this.#pending === 0) return true;
    const chain = this.#chainOf(key);
    return this.#finished.length === 0 && (chain === undefined || !this.#chains.has(chain));
  }

  add(record: R): void {
    const chain = this.#chainOf(record.key);
    const slot: Slot<R, U> = { record, origin: this.#task.origin(), chain, outcome: undefined };
    this.#pending += 1;
    if (chain !== undefined) {
      const behind = this.#chains.get(chain);
      if (behind !== undefined) {
        behind.push(slot);
        this.#behind += 1;
        return;
      }
      this.#chains.set(chain, []);
    }
    this.#waiting.push(slot);
    this.#start();
  }

  drain(): number {
    if (this.#finished.length === 0) return 0;
    const finished = this.#finished;
    this.#finished = [];
    for (const { record, origin, outcome } of finished) {
      this.#pending -= 1;
      if (outcome === undefined) continue;
      this.#task.resume(origin);
      if ('error' in outcome) this.#task.recordFailed(outcome.error, this.step);
      else this.#emit(record, outcome.value);
      this.#task.settle();
    }
    this.#task.resume(undefined);
    if (this.#pending === 0) this.#done?.();
    return finished.length;
  }

  /** Calls back when the last call has been emitted. */
  complete(done: () => void): void {
    if (this.#pending === 0) done();
    else this.#done = done;
  }

  abort(): void {
    this.#stop.abort(new MillraceError('migrated', 'ERR_STOPPED', `${this.step} was stopped`));
  }

  #start(): void {
    while (this.#running < this.#limits.concurrency) {
      const slot = this.#waiting.shift();
      if (slot === undefined) return;
      this.#running += 1;
      void this.#call(slot);
    }
  }

  async #call(slot: Slot<R, U>): Promise<void> {
    slot.outcome = await this.#tries(slot.record);
    this.#running -= 1;
    if (this.#stop.signal.aborted) return;
    this.#finished.push(slot);
    this.#advance(slot.chain);
    this.#start();
    this.#task.wake();
  }

  async #tries(record: R): Promise<{ value: U } | { error: unknown }> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { value: await this.#once(record, attempt) };
      } catch (error) {
        if (attempt > this.#limits.retries || this.#stop.signal.aborted) return { error };
        await this.#pause(this.#limits.backoffMs * 2 ** (attempt - 1));
        if (this.#stop.signal.aborted) return { error };
      }
    }
  }

  async #once(record: R, attempt: number): Promise<U> {
    const { timeoutMs } = this.#limits;
    const stop = this.#stop.signal;
    if (timeoutMs === undefined) return this.#project(record.value, { record, signal: stop, attempt });
    const timeout = new AbortController();
    const late = new RecordError('ERR_ASYNC_TIMEOUT', `${this.step} took more than ${timeoutMs} ms`, {
      hint: 'raise { timeout }, or make the function answer sooner; its signal was aborted',
    });
    const signal = AbortSignal.any([stop, timeout.signal]);
    const timedOut = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    // Nobody waits for it when the function throws at once.
    timedOut.catch(() => undefined);
    const cancel = this.#task.clock.after(timeoutMs, () => timeout.abort(late));
    try {
      return await Promise.race([this.#project(record.value, { record, signal, attempt }), timedOut]);
    } finally {
      cancel();
    }
  }

  #pause(ms: number): Promise<void> {
    const pause = { until: this.#task.clock.now() + ms };
    this.#pauses.add(pause);
    return new Promise((resolve) => {
      const done = (): void => {
        this.#pauses.delete(pause);
        cancel();
        this.#stop.signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#task.clock.after(ms, done);
      this.#stop.signal.addEventListener('abort', done);
    });
  }

  /** The next record of the key may be called now. */
  #advance(chain: KeyId | undefined): void {
    if (chain === undefined) return;
    const next = this.#chains.get(chain)?.shift();
    if (next === undefined) this.#chains.delete(chain);
    else {
      this.#behind -= 1;
      this.#waiting.push(next);
    }
  }
}

function chainOf(key: unknown): KeyId | undefined {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return key;
    case 'object':
      if (key === null) return undefined;
      return key instanceof Uint8Array ? bytesId(key) : JSON.stringify(key, withBigInts);
    default:
      return undefined;
  }
}

function withBigInts(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
