import type { Clock } from '../../dataflow/clock.ts';
import type { MillraceError } from '../../errors.ts';
import type { Stage } from '../../plan/stages.ts';
import { IdleWatch } from './idle-watch.ts';
import { StageTurns } from './stage-turns.ts';
import type { Task } from './task.ts';

/** Gives the stages of a process their turns, one after the other. */
export class Rounds {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #stages = new Map<Stage, StageTurns>();
  /** The stages that still have their turn in this round. */
  #rest: IterableIterator<StageTurns> | undefined;
  readonly #tasks = new Set<Task>();
  readonly #idle: IdleWatch;
  /** Why a task could not continue. */
  failure: MillraceError | undefined;
  /** Whether anything was done in the last round. */
  worked = false;

  /**
   * @param wake - Requests another round.
   * @param idleMs - How long without records until time follows the clock.
   */
  constructor(clock: Clock, wake: () => void, idleMs?: number) {
    this.#idle = new IdleWatch(idleMs, clock, wake);
    this.#clock = clock;
    this.#wake = wake;
  }

  add(task: Task): void {
    let turns = this.#stages.get(task.stage);
    if (turns === undefined) {
      turns = new StageTurns(this.#clock, this.#wake);
      this.#stages.set(task.stage, turns);
    }
    turns.tasks.push(task);
    this.#tasks.add(task);
  }

  remove(task: Task): void {
    this.#tasks.delete(task);
    this.#stages.get(task.stage)?.remove(task);
  }

  /** How long a task has made no progress although there may be more records, in ms. */
  standsFor(task: Task): number {
    return this.#stages.get(task.stage)?.standsFor(task, this.#clock.monotonic()) ?? 0;
  }

  /**
   * Gives each stage one turn, which its tasks share. If the time runs out, the remaining stages come first next time.
   * Ends if a task fails.
   *
   * @param room - Whether records may be taken.
   * @param until - Monotonic time at which the round is interrupted.
   * @param looked - Called with the working task whenever the clock is read.
   * @param knows - Whether the ends of inputs are known.
   * @returns Whether there may be more to do.
   */
  round(room: boolean, until: number, looked: (task: Task, now: number) => void, knows: () => boolean): boolean {
    // After the rest of an interrupted round, a whole round is needed to know that no task has anything to do.
    let more = this.#rest !== undefined;
    const round = this.#rest ?? this.#stages.values();
    this.#rest = undefined;
    this.worked = false;
    for (const turns of round) {
      const worked = turns.turn(room, until, looked) > 0;
      this.worked ||= worked;
      more ||= turns.more;
      this.failure = turns.failure;
      if (this.failure !== undefined) return false;
      if (worked && this.#clock.monotonic() >= until) {
        this.#rest = round;
        more = true;
        break;
      }
    }
    const ticked = room && this.#idle.look(this.#tasks, knows);
    this.worked ||= ticked;
    return ticked || more;
  }

  close(): void {
    this.#idle.close();
  }
}
