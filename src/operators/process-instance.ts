import type { Instance, Take } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { AsyncWorker, IdleTime } from '../dataflow/task-context.ts';
import { FatalError, MillraceError, RecordError } from '../errors.ts';
import { settled } from '../options/promises.ts';
import type { Lateness, StreamRecord, Window } from '../record.ts';
import { JournaledStore } from '../state/journaled-store.ts';
import type { KeyTimers } from '../state/key-timers.ts';
import { type NamedTimer, TimerStore } from '../state/timer-store.ts';
import type { KeyValue } from './key-value.ts';
import { keySerdeOf } from './keyed.ts';
import { Outbox } from './outbox.ts';
import { IntervalTimer } from './process-intervals.ts';
import type { ProcessPlan, StepFunction } from './process-plan.ts';
import type { EmitOptions, KeyTimer } from './process-types.ts';

type Key = NonNullable<unknown>;
type Row = StreamRecord<unknown, unknown>;

/** Clocks may jump, and timers of an engine have a longest time. */
const LONGEST_WAIT_MS = 60 * 60 * 1000;

/** Timers on the wall clock that fire in one turn: after a long stop all of them may be due. */
const MOST_AT_ONCE = 1000;

/**
 * A `process` step in one task. Each call of a function of the user's is one change: its state and its output stay when it
 * returns, and are taken back when it throws.
 */
export class ProcessInstance implements Instance, AsyncWorker {
  readonly step: string;
  readonly take: readonly Take<never>[];
  readonly #at: Step<Row>;
  readonly #plan: ProcessPlan;
  readonly #stores: readonly JournaledStore<unknown, unknown>[];
  readonly #own: TimerStore<unknown>;
  readonly #intervals: readonly IntervalTimer[];
  readonly #outbox: Outbox;
  readonly #hands: object;
  /** A function of the user's runs. */
  #running = false;
  /** The record that moved time. */
  #cause: Row | undefined;
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;
  #rang = false;
  #ended = false;

  constructor(plan: ProcessPlan, at: Step<Row>) {
    const { place, task } = at;
    const keys = keySerdeOf<unknown>(place);
    this.step = at.name;
    this.#at = at;
    this.#plan = plan;
    this.#outbox = new Outbox(at);
    this.#stores = plan.stores.map(([, { key, name, value }]) => {
      return new JournaledStore(task.openStore(name), key ?? keys, value, task.cacheEntries);
    });
    this.#own = new TimerStore(task.openStore(plan.name), keys, task.time, task.cacheEntries, plan.kinds);
    for (const holder of [this.#own, ...this.#stores]) task.addState(holder);
    this.#intervals = plan.intervals.map(({ everyMs, kind, name }) => {
      return new IntervalTimer(
        name,
        kind,
        everyMs,
        kind === 'wall-clock' ? task.clock.now() : this.#own.time.streamTime,
      );
    });
    this.#hands = this.#makeHands();
    this.take = plan.next.map((next) => (record: Row) => this.#next(next, record));
    if (!this.#usesWallClock()) return;
    task.addAsyncWorker(this);
    task.onTeardown(() => this.#cancel?.());
    this.#arm();
  }

  // ------------------------------------------------------------------ time

  readonly advance = (): void => {
    if (!this.#own.time.advance()) return;
    this.#cause = undefined;
    this.#fireStreamTime();
  };

  /** What a timer emits has the timer's time, unless the step says otherwise. */
  readonly holds = (): number => this.#own.earliest('stream-time');

  readonly closeAll = (): void => {
    const last = this.#own.last('stream-time');
    if (last < 0) return;
    this.#own.time.moveTo(last);
    this.#cause = undefined;
    this.#fireStreamTime();
  };

  get idle(): IdleTime {
    const { time } = this.#own;
    const next = (): number => {
      let first = this.#own.earliest('stream-time');
      for (const { kind, next: at } of this.#intervals) if (kind === 'stream-time' && at < first) first = at;
      return first;
    };
    return { time, due: next };
  }

  readonly complete = (done: () => void): void => {
    // Nobody would take what a timer emits after this; timers that are set stay for the next run.
    this.#ended = true;
    done();
  };

  // ------------------------------------------------------------------ turns that no record causes

  pending(): number {
    return 0;
  }

  full(): boolean {
    return false;
  }

  drain(): number {
    if (!this.#rang || this.#ended) return 0;
    this.#rang = false;
    this.#cause = undefined;
    const now = this.#at.task.clock.now();
    const fired = this.#own.fire('wall-clock', now, this.#fire, MOST_AT_ONCE);
    const called = this.#fireIntervals('wall-clock', now);
    if (fired === MOST_AT_ONCE) {
      this.#rang = true;
      this.#at.task.wake();
    } else this.#arm();
    this.#at.task.settle();
    return fired + called;
  }

  // ------------------------------------------------------------------ calls of user code

  #next(next: StepFunction, record: Row): void {
    const { key } = record;
    if (key === null || key === undefined) {
      this.#at.drop('null key');
      return;
    }
    const { time } = this.#own;
    time.observe(record.timestamp);
    this.#cause = record;
    try {
      // Time first: what is over when the record comes does not know of it.
      this.#fireStreamTime();
      this.#outbox.ofRecord(record);
      this.#call(next, record);
      this.#fireStreamTime();
    } finally {
      this.#arm();
    }
  }

  /** @throws what the function throws; nothing that it did is left then. */
  #call(work: StepFunction, given: unknown): void {
    this.#running = true;
    try {
      settled(work(given, this.#hands));
    } catch (error) {
      this.#outbox.discard();
      for (const store of this.#stores) store.undo();
      this.#own.undo();
      throw error;
    } finally {
      this.#running = false;
    }
    let applied = this.#own.keep();
    for (const store of this.#stores) applied = store.keep() || applied;
    this.#outbox.deliver(applied);
  }

  #fireStreamTime(): void {
    const { streamTime } = this.#own.time;
    if (this.#own.earliest('stream-time') <= streamTime) this.#own.fire('stream-time', streamTime, this.#fire);
    this.#fireIntervals('stream-time', streamTime);
  }

  #fireIntervals(kind: string, now: number): number {
    let fired = 0;
    for (const interval of this.#intervals) {
      if (interval.kind !== kind || interval.next > now) continue;
      interval.called(now);
      fired += 1;
      this.#due(interval.name, undefined, now, { time: now });
    }
    return fired;
  }

  readonly #fire = ({ key, time, timers }: NamedTimer<unknown>): void => {
    this.#due(timers.name, key, time, { key, time });
  };

  #due(name: string, key: unknown, time: number, given: object): void {
    this.#outbox.ofTimer(key, time, this.#cause);
    try {
      this.#call(this.#plan.due[name] as StepFunction, given);
    } catch (error) {
      // The timer is used up: whatever else is due at this moment must not be lost with it.
      const kept = { key: key ?? name, keySerde: key === undefined ? undefined : this.#at.keySerde, window: undefined };
      const content = { timer: name, time };
      this.#at.rowFailed(timerFailed(error, name), { ...kept, timestamp: time, holds: 'state', content });
    }
  }

  // ------------------------------------------------------------------ the clock on the wall

  #usesWallClock(): boolean {
    const kinds = [...this.#plan.kinds.values(), ...this.#plan.intervals.map(({ kind }) => kind)];
    return kinds.includes('wall-clock');
  }

  /** Asks for a turn when the next timer is due. */
  #arm(): void {
    let earliest = this.#own.earliest('wall-clock');
    for (const { kind, next } of this.#intervals) if (kind === 'wall-clock' && next < earliest) earliest = next;
    if (earliest >= this.#armedFor || this.#ended) return;
    this.#cancel?.();
    this.#armedFor = earliest;
    const { clock } = this.#at.task;
    const waitMs = Math.min(Math.max(0, earliest - clock.now()), LONGEST_WAIT_MS);
    this.#cancel = clock.after(waitMs, () => {
      this.#cancel = undefined;
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#rang = true;
      this.#at.task.wake();
    });
  }

  // ------------------------------------------------------------------ what user code has at hand

  #makeHands(): object {
    const { task } = this.#at;
    const own = this.#own;
    const outbox = this.#outbox;
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
      stores: Object.fromEntries(this.#plan.stores.map(([alias], at) => [alias, this.#storeHandle(at)])),
      timers: Object.fromEntries([...this.#plan.kinds.keys()].map((name) => [name, this.#timerHandle(name)])),
      outputs: Object.fromEntries(this.#plan.outputs.map((name) => [name, emitTo(this.#at.port<Row>(name))])),
      emit: emitTo(this.#at.out),
      drop: (reason: string): void => {
        this.#check();
        outbox.drop(reason);
      },
      late: (missed: readonly Window[] = [], partial = false): void => {
        this.#check();
        const { streamTime } = own.time;
        const lateness: Lateness = { step: this.step, streamTime, reason: 'window closed', missed, partial };
        outbox.late(lateness);
      },
    };
  }

  #storeHandle(at: number): KeyValue<Key, unknown> {
    const store = this.#stores[at] as JournaledStore<Key, unknown>;
    return {
      get: (key) => store.get(key),
      has: (key) => store.has(key),
      set: (key, value) => {
        this.#check();
        if (value === null || value === undefined) throw noValue(store.name, value);
        store.set(key, settled(value), this.#outbox.timestamp);
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

  #timerHandle(name: string): KeyTimer<Key> {
    const timers = this.#own.timers(name) as KeyTimers<Key>;
    const keyOr = (given: Key | undefined): Key => {
      this.#check();
      const key = given ?? this.#outbox.key;
      if (key === null || key === undefined) throw noTimerKey(this.step, name);
      return key;
    };
    return {
      set: (time, key) => timers.set(keyOr(key), checkTime(time, name)),
      add: (time, key) => timers.add(keyOr(key), checkTime(time, name)),
      cancel: (key) => timers.cancel(keyOr(key)),
    };
  }

  /** Whoever uses the step later does so behind the back of commits. */
  #check(): void {
    if (this.#running) return;
    const error = new FatalError('ERR_OUTSIDE_TURN', `${this.step} was used after its function had returned`, {
      step: this.step,
      hint: 'a step must finish its work before its function returns: do asynchronous work in mapAsync(…) before or after it',
    });
    // The caller may be a promise that nobody listens to.
    this.#at.task.chainFailed(error, this.step);
    throw error;
  }
}

function checkTime(time: number, timer: string): number {
  if (Number.isSafeInteger(time) && time >= 0) return time;
  settled(time);
  throw new RecordError('ERR_TIMESTAMP', `the timer ${timer} was set to ${time}`, {
    hint: 'a time is a whole number of milliseconds since 1970, 0 or more',
  });
}

function noValue(store: string, value: unknown): RecordError {
  return new RecordError('ERR_ENCODE', `store ${store} cannot keep ${String(value)}`, {
    hint: 'call delete(key) to remove an entry',
  });
}

function noTimerKey(step: string, timer: string): RecordError {
  return new RecordError('ERR_NULL_KEY', `${step}: the timer ${timer} was set without a key`, {
    hint: 'an interval has no current key: pass one, as in set(time, key)',
  });
}

function timerFailed(error: unknown, timer: string): unknown {
  if (error instanceof MillraceError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new RecordError('ERR_USER_CODE', `the timer ${timer} failed: ${reason}`, {
    cause: error,
    hint: "fix it, or choose what happens to such failures with onRecordError: 'skip' or deadLetter(topic)",
  });
}
