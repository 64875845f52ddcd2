import type { Step } from '../dataflow/step.ts';
import { settled } from '../options/promises.ts';
import type { Lateness, StreamRecord, Window } from '../record.ts';
import type { JournaledStore } from '../state/journaled-store.ts';
import type { KeyTimers } from '../state/key-timers.ts';
import type { TimerStore } from '../state/timer-store.ts';
import type { KeyValue } from './key-value.ts';
import type { Outbox } from './outbox.ts';
import { checkTime, noTimerKey, noValue, usedLater } from './process-errors.ts';
import type { ProcessPlan } from './process-plan.ts';
import type { EmitOptions, KeyTimer } from './process-types.ts';

type Key = NonNullable<unknown>;
type Row = StreamRecord<unknown, unknown>;

/** What the functions of a step access through their step object. */
interface Parts {
  readonly plan: ProcessPlan;
  readonly stores: readonly JournaledStore<unknown, unknown>[];
  /** The timers and the stream time of the step. */
  readonly own: TimerStore<unknown>;
  readonly outbox: Outbox;
}

/** The step object that the functions of a `process` step get. It is valid only while one of them runs. */
export class ProcessHands {
  /** Whether a user function is running. */
  running = false;
  /** The step object; the same one each time. */
  readonly given: object;
  readonly #at: Step<Row>;
  readonly #parts: Parts;

  constructor(at: Step<Row>, parts: Parts) {
    this.#at = at;
    this.#parts = parts;
    this.given = this.#make();
  }

  #make(): object {
    const { name: step, task } = this.#at;
    const { outbox, own, plan } = this.#parts;
    const emitTo =
      (target: { next(row: Row): void }) =>
      (value: unknown, options?: EmitOptions): void => {
        this.#check();
        outbox.emit(target, value, options);
      };
    return {
      get key(): unknown {
        return outbox.key;
      },
      get streamTime(): number {
        return own.time.streamTime;
      },
      get now(): number {
        return task.clock.now();
      },
      stores: Object.fromEntries(plan.stores.map(([alias], at) => [alias, this.#store(at)])),
      timers: Object.fromEntries([...plan.kinds.keys()].map((name) => [name, this.#timer(name)])),
      outputs: Object.fromEntries(plan.outputs.map((name) => [name, emitTo(this.#at.port<Row>(name))])),
      emit: emitTo(this.#at.out),
      drop: (reason: string): void => {
        this.#check();
        outbox.drop(reason);
      },
      late: (missed: readonly Window[] = [], partial = false): void => {
        this.#check();
        const { streamTime } = own.time;
        const lateness: Lateness = { step, streamTime, reason: 'window closed', missed, partial };
        outbox.late(lateness);
      },
    };
  }

  #store(at: number): KeyValue<Key, unknown> {
    const { outbox, stores } = this.#parts;
    const store = stores[at] as JournaledStore<Key, unknown>;
    return {
      get: (key) => store.get(key),
      has: (key) => store.has(key),
      set: (key, value) => {
        this.#check();
        if (value === null || value === undefined) throw noValue(store.name, value);
        store.set(key, settled(value), outbox.timestamp);
      },
      delete: (key) => {
        this.#check();
        store.delete(key);
      },
      *entries() {
        for (const { key, value } of store.entries()) yield [key as Key, value] as const;
      },
    };
  }

  #timer(name: string): KeyTimer<Key> {
    const { outbox, own } = this.#parts;
    const timers = own.timers(name) as KeyTimers<Key>;
    const keyOr = (given: Key | undefined): Key => {
      this.#check();
      const key = given ?? outbox.key;
      if (key === null || key === undefined) throw noTimerKey(this.#at.name, name);
      return key;
    };
    return {
      set: (time, key) => timers.set(keyOr(key), checkTime(time, name)),
      add: (time, key) => timers.add(keyOr(key), checkTime(time, name)),
      cancel: (key) => timers.cancel(keyOr(key)),
    };
  }

  #check(): void {
    if (this.running) return;
    const error = usedLater(this.#at.name);
    // The caller may be a promise without a handler, so the error must also reach the task.
    this.#at.task.chainFailed(error, this.#at.name);
    throw error;
  }
}
