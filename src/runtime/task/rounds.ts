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
  /** The stages that have not had their turn in this round. */
  #rest: IterableIterator<StageTurns> | undefined;
  readonly #tasks = new Set<Task>();
  readonly #idle: IdleWatch;
  /** Why a task could not go on. */
  failure: MillraceError | undefined;
  /** Whether anything was done in the last round. */
  worked = false;

  /**
   * @param wake - Asks for another round.
   * @param idleMs - How long it takes without records for time to go on with the clock.
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

  /** For how long a task has not gone on although there may be more to take, in ms of its clock. */
  standsFor(task: Task): number {
    return this.#stages.get(task.stage)?.standsFor(task, this.#clock.monotonic()) ?? 0;
  }

  /**
   * One turn for each stage, in which its tasks share. When the time is over in between, the others have theirs next. Ends
   * with a task that fails.
   *
   * @param room - Whether records may be taken.
   * @param until - Monotonic time at which the round is broken off.
   * @param looked - Called with the task that is at work, whenever the clock is looked at.
   * @param knows - Tells whether it is known what there is to read.
   * @returns Whether there may be more to do.
   */
  round(room: boolean, until: number, looked: (task: Task, now: number) => void, knows: () => boolean): boolean {
    // After the rest of a round there has to be a whole one to know that no task has anything to do.
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
