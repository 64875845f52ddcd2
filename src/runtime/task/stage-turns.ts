import type { Cancel, Clock } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
import type { Task } from './task.ts';
import { TurnWatch } from './turn-watch.ts';

/** How many records per task a stage takes before the next stage has its turn. */
const TURN_RECORDS = 512;
/**
 * How many records a task takes in a row while those of several tasks are close in time: switching tasks costs as much
 * as a record.
 */
const STRETCH = 32;
/** How long tasks wait for one that has more records on their way, in ms. */
const PATIENCE_MS = 250;

/**
 * Coordinates the turns of the tasks of one stage: the task whose next record has the lowest timestamp continues until
 * another one is lower by more than the span of a few records. So tasks write a backlog in time order. A task that has
 * taken everything does not wait for one that is behind, and none waits long for one whose records do not arrive.
 */
export class StageTurns {
  readonly tasks: Task[] = [];
  /** Whether the last turn has left available records. The log reports later ones. */
  more = false;
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #watch = new TurnWatch();
  /** Tasks that had taken everything after their last turn. */
  readonly #live = new Set<Task>();
  /** Until when the others wait for a task. */
  readonly #patience = new Map<Task, number>();
  /** The last progress of tasks that are behind, and its time. */
  readonly #stood = new Map<Task, { readonly recordsIn: number; readonly since: number }>();
  /** When the last turn ended. */
  #turnAt: number;
  #cancelWake: Cancel | undefined;
  readonly #heap = new TaskHeap();
  /** Tasks in the current turn, and those of them that are live or behind. */
  readonly #ready: Task[] = [];
  readonly #caughtUp: Task[] = [];
  readonly #behind: Task[] = [];
  /** How far a task may go past the next record of another one, in ms of event time. */
  #slack = 0;

  /** @param wake - Requests another turn. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.#turnAt = clock.monotonic();
  }

  /**
   * @param room - Whether records may be taken.
   * @param until - Monotonic time at which the turn ends, after at least one record.
   * @param looked - Called with the working task whenever the clock is read.
   * @returns Records processed.
   */
  turn(room: boolean, until: number, looked: (task: Task, now: number) => void): number {
    // The lists are reused: a live application has a turn for every record or two.
    const ready = this.#ready;
    const live = this.#caughtUp;
    const behind = this.#behind;
    ready.length = 0;
    live.length = 0;
    behind.length = 0;
    for (const task of this.tasks) if (task.beginTurn()) ready.push(task);
    let done = 0;
    this.more = false;
    if (room) {
      for (const task of ready) (this.#live.has(task) ? live : behind).push(task);
      const now = this.#watch.begin(this.#clock.monotonic());
      const turn = { done: 0, over: false, until, looked, since: now };
      this.#go(live, turn, live.some(({ reach }) => reach.needsOrder) ? 0 : this.#slack);
      if (!turn.over && !this.#waits(behind, now)) this.#go(behind, turn, this.#slack);
      done = turn.done;
      for (const task of ready) {
        if (task.reach.caughtUp) this.#live.add(task);
        else this.#live.delete(task);
      }
    }
    this.#turnAt = this.#clock.monotonic();
    for (const task of ready) {
      task.endTurn();
      this.#note(task);
    }
    return done;
  }

  /** Why one of the tasks could not continue. */
  get failure(): MillraceError | undefined {
    for (const { failure } of this.tasks) if (failure !== undefined) return failure;
    return undefined;
  }

  remove(task: Task): void {
    this.tasks.splice(this.tasks.indexOf(task), 1);
    this.#live.delete(task);
    this.#patience.delete(task);
    this.#stood.delete(task);
    if (this.tasks.length > 0) return;
    this.#cancelWake?.();
    this.#cancelWake = undefined;
  }

  #go(tasks: readonly Task[], turn: StageTurn, slack: number): void {
    if (tasks.length === 0) return;
    const most = turn.done + TURN_RECORDS * tasks.length;
    const heap = this.#heap;
    heap.fill(tasks);
    const before = turn.done;
    let changes = 0;
    let unseen: Task | undefined;
    while (turn.done < most && heap.size > 0) {
      const task = heap.first;
      const wanted = Math.min(most, this.#watch.next) - turn.done;
      const taken = task.advance(wanted, heap.second + slack);
      turn.done += taken;
      if (taken > 0) unseen = task;
      if (task.failure !== undefined) {
        turn.over = true;
        return;
      }
      if (this.#watch.due(turn.done) || task.turnIsFull) {
        unseen = undefined;
        this.#look(task, turn);
        if (turn.over) {
          this.more = true;
          return;
        }
      }
      if (taken < wanted) {
        heap.next();
        changes += 1;
      }
    }
    this.more ||= heap.size > 0;
    // Even a few records may have taken long, and the responsible task must be known if the process was blocked too
    // long.
    if (unseen !== undefined) this.#look(unseen, turn);
    if (slack === this.#slack) this.#adapt(turn.done - before, changes);
  }

  /** Notes since when a task has made no progress although there are more records. */
  #note(task: Task): void {
    const before = this.#stood.get(task);
    const { recordsIn } = task.counters;
    if (this.#live.has(task)) this.#stood.delete(task);
    else if (before?.recordsIn !== recordsIn) this.#stood.set(task, { recordsIn, since: this.#turnAt });
  }

  /** How long a task has made no progress although there may be more records, in ms. */
  standsFor(task: Task, now: number): number {
    return now - (this.#stood.get(task)?.since ?? this.#turnAt);
  }

  /** Notes how long a task has worked. */
  #look(task: Task, turn: StageTurn): void {
    const now = this.#watch.looked(turn.done, this.#clock.monotonic());
    task.turnMs += now - turn.since;
    turn.since = now;
    turn.looked(task, now);
    turn.over = now >= turn.until || task.turnIsFull;
  }

  /** Adapts the slack to the span of event time of a stretch of records. */
  #adapt(records: number, changes: number): void {
    if (changes < STRETCH) return;
    if (records < changes * STRETCH) this.#slack = Math.min(2 * this.#slack + 1, Number.MAX_SAFE_INTEGER);
    else if (records > 2 * changes * STRETCH) this.#slack = Math.floor(this.#slack / 2);
  }

  /** Whether a task has no available record although more are on their way: one of them may be the next. */
  #waits(tasks: readonly Task[], now: number): boolean {
    if (tasks.length < 2) return false;
    let soonest = Number.POSITIVE_INFINITY;
    for (const task of tasks) {
      if (task.nextTimestamp() !== undefined || task.waitingFor() !== undefined || task.reach.caughtUp) {
        this.#patience.delete(task);
        continue;
      }
      const until = this.#patience.get(task) ?? now + PATIENCE_MS;
      this.#patience.set(task, until);
      if (now < until) soonest = Math.min(soonest, until);
    }
    if (soonest === Number.POSITIVE_INFINITY) return false;
    this.#wakeIn(soonest - now);
    return true;
  }

  /** Schedules a wake-up. The timer may fire slightly early; the resulting turn then schedules another one. */
  #wakeIn(ms: number): void {
    this.#cancelWake ??= this.#clock.after(ms, () => {
      this.#cancelWake = undefined;
      this.#wake();
    });
  }
}

interface StageTurn {
  done: number;
  over: boolean;
  readonly until: number;
  readonly looked: (task: Task, now: number) => void;
  /** When the clock was last read. */
  since: number;
}

/** A heap of tasks by the timestamp of their next record; ties in the order of tasks. */
class TaskHeap {
  readonly #tasks: Task[] = [];
  readonly #times: number[] = [];
  readonly #ranks: number[] = [];
  size = 0;

  fill(tasks: readonly Task[]): void {
    this.size = 0;
    for (let rank = 0; rank < tasks.length; rank += 1) {
      const task = tasks[rank] as Task;
      const time = task.nextTimestamp();
      if (time === undefined) continue;
      this.#tasks[this.size] = task;
      this.#times[this.size] = time;
      this.#ranks[this.size] = rank;
      this.size += 1;
    }
    for (let at = (this.size >> 1) - 1; at >= 0; at -= 1) this.#sink(at);
  }

  get first(): Task {
    return this.#tasks[0] as Task;
  }

  /** The time up to which the first task comes before all others. */
  get second(): number {
    if (this.size < 2) return Number.POSITIVE_INFINITY;
    const [, left, right] = this.#times as [number, number, number];
    return this.size < 3 || left < right ? left : right;
  }

  /** Re-sorts the first task after it has made progress. */
  next(): void {
    const time = this.first.nextTimestamp();
    if (time === undefined) {
      this.size -= 1;
      this.#swap(0, this.size);
    } else this.#times[0] = time;
    this.#sink(0);
  }

  #sink(from: number): void {
    let at = from;
    for (;;) {
      let least = at;
      const left = 2 * at + 1;
      if (left < this.size && this.#before(left, least)) least = left;
      if (left + 1 < this.size && this.#before(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(left: number, right: number): boolean {
    const [a, b] = [this.#times[left] as number, this.#times[right] as number];
    return a < b || (a === b && (this.#ranks[left] as number) < (this.#ranks[right] as number));
  }

  #swap(left: number, right: number): void {
    for (const list of [this.#tasks, this.#times, this.#ranks] as unknown[][]) {
      [list[left], list[right]] = [list[right], list[left]];
    }
  }
}
