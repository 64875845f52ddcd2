import type { Instance, Take } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { AsyncWorker, IdleTime } from '../dataflow/task-context.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import { JournaledStore } from '../state/journaled-store.ts';
import { type NamedTimer, type TimerKind, TimerStore } from '../state/timer-store.ts';
import { keySerdeOf } from './keyed.ts';
import { Outbox } from './outbox.ts';
import { Alarm } from './process-alarm.ts';
import { timerFailed } from './process-errors.ts';
import { ProcessHands } from './process-hands.ts';
import { Intervals } from './process-intervals.ts';
import { type ProcessPlan, type StepFunction, usesWallClock } from './process-plan.ts';

type Row = StreamRecord<unknown, unknown>;

/** The most wall-clock timers to fire in one turn: after a long stop many may be due. */
const MOST_AT_ONCE = 1000;

/**
 * A `process` step in one task. Each call of a user function is atomic: its state and output are kept when it returns
 * and rolled back when it throws.
 */
export class ProcessInstance implements Instance, AsyncWorker {
  readonly step: string;
  readonly take: readonly Take<never>[];
  readonly #at: Step<Row>;
  readonly #plan: ProcessPlan;
  readonly #stores: readonly JournaledStore<unknown, unknown>[];
  readonly #own: TimerStore<unknown>;
  readonly #intervals: Intervals;
  readonly #outbox: Outbox;
  readonly #hands: ProcessHands;
  readonly #alarm: Alarm;
  /** The record that advanced time. */
  #cause: Row | undefined;
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
    this.#own = new TimerStore(task.openStore(plan.name), keys, at.time, task.cacheEntries, plan.kinds);
    for (const holder of [this.#own, ...this.#stores]) task.addState(holder);
    this.#intervals = new Intervals(plan, (kind) =>
      kind === 'wall-clock' ? task.clock.now() : this.#own.time.streamTime,
    );
    this.#hands = new ProcessHands(at, { plan, stores: this.#stores, own: this.#own, outbox: this.#outbox });
    this.#alarm = new Alarm(task);
    this.take = plan.next.map((next) => (record: Row) => this.#next(next, record));
    if (!usesWallClock(plan)) return;
    task.addAsyncWorker(this);
    task.onTeardown(this.#alarm.close);
    this.#arm();
  }

  // ------------------------------------------------------------------ time

  readonly advance = (): void => {
    if (!this.#own.time.advance()) return;
    this.#cause = undefined;
    this.#fireStreamTime();
  };

  /** Output of a timer has the timer's time by default. */
  readonly holds = (): number => this.#own.earliest('stream-time');

  readonly closeAll = (): void => {
    const last = this.#own.last('stream-time');
    if (last < 0) return;
    this.#own.time.moveTo(last);
    this.#cause = undefined;
    this.#fireStreamTime();
  };

  get idle(): IdleTime {
    const due = (): number => Math.min(this.#own.earliest('stream-time'), this.#intervals.earliest('stream-time'));
    return { time: this.#own.time, due };
  }

  readonly complete = (done: () => void): void => {
    // Output of a timer would be lost after this point; timers that are set stay for the next run.
    this.#ended = true;
    done();
  };

  // ------------------------------------------------------------------ turns without a record

  pending(): number {
    return 0;
  }

  full(): boolean {
    return false;
  }

  drain(): number {
    if (!this.#alarm.rang || this.#ended) return 0;
    this.#alarm.rang = false;
    this.#cause = undefined;
    const now = this.#at.task.clock.now();
    const fired = this.#own.fire('wall-clock', now, this.#fire, MOST_AT_ONCE);
    const called = this.#fireIntervals('wall-clock', now);
    if (fired === MOST_AT_ONCE) this.#alarm.ring();
    else this.#arm();
    this.#at.task.settle();
    return fired + called;
  }

  // ------------------------------------------------------------------ calls of user code

  #next(next: StepFunction, record: Row): void {
    if (record.key === null || record.key === undefined) return this.#at.drop('null key');
    this.#own.time.observe(record.timestamp);
    this.#cause = record;
    try {
      // Time advances first: timers that are due when the record arrives must not see its effects.
      this.#fireStreamTime();
      this.#outbox.ofRecord(record);
      this.#call(next, record);
      this.#fireStreamTime();
    } finally {
      this.#arm();
    }
  }

  /** @throws what the function throws, after rolling back its changes. */
  #call(work: StepFunction, given: unknown): void {
    this.#hands.running = true;
    try {
      settled(work(given, this.#hands.given));
    } catch (error) {
      this.#outbox.discard();
      for (const store of this.#stores) store.undo();
      this.#own.undo();
      throw error;
    } finally {
      this.#hands.running = false;
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

  #fireIntervals(kind: TimerKind, now: number): number {
    if (this.#intervals.earliest(kind) > now) return 0;
    return this.#intervals.fire(kind, now, (name) => this.#due(name, undefined, now, { time: now }));
  }

  readonly #fire = ({ key, time, timers }: NamedTimer<unknown>): void => {
    this.#due(timers.name, key, time, { key, time });
  };

  #due(name: string, key: unknown, time: number, given: object): void {
    this.#outbox.ofTimer(key, time, this.#cause);
    try {
      this.#call(this.#plan.due[name] as StepFunction, given);
    } catch (error) {
      // The timer is used up. The other timers that are due now must not be lost with it.
      const kept = { key: key ?? name, keySerde: key === undefined ? undefined : this.#at.keySerde, window: undefined };
      const content = { timer: name, time };
      this.#at.rowFailed(timerFailed(error, name), { ...kept, timestamp: time, holds: 'state', content });
    }
  }

  // ------------------------------------------------------------------ the wall clock

  /** Requests a turn for when the next timer is due. */
  #arm(): void {
    if (this.#ended) return;
    this.#alarm.arm(Math.min(this.#own.earliest('wall-clock'), this.#intervals.earliest('wall-clock')));
  }
}
