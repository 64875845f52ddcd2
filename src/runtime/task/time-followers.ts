import type { TimeFollower } from '../../dataflow/task-context.ts';
import type { DeferredWork } from './deferred-work.ts';

/**
 * The parts of a task that follow its time, in order of depth, because rows of upper parts still belong to lower ones.
 */
export class TimeFollowers {
  readonly #followers: TimeFollower[] = [];
  readonly #deferred: DeferredWork;

  constructor(deferred: DeferredWork) {
    this.#deferred = deferred;
  }

  readonly add = (follower: TimeFollower): void => {
    this.#followers.push(follower);
    this.#followers.sort((left, right) => left.depth - right.depth);
  };

  readonly advance = (): void => {
    this.#each((follower) => follower.advance());
  };

  /** Lower bound for the timestamps of rows that wait for stream time. */
  holds(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers) least = Math.min(least, follower.holds());
    return least;
  }

  readonly closeAll = (): void => {
    this.#each((follower) => follower.closeAll());
  };

  /** Advances the time of every step after a silence of this length. */
  readonly tick = (elapsedMs: number): void => {
    // Rows of upper parts must not advance lower parts by more than the elapsed time.
    const targets = this.#followers.map(({ idle }) =>
      idle === undefined || idle.time.streamTime < 0 ? -1 : idle.time.streamTime + elapsedMs,
    );
    this.#each(({ advance, idle }, at) => {
      const target = targets[at] as number;
      if (idle === undefined || target <= idle.time.streamTime) return;
      idle.time.idleTo(target);
      advance();
    });
  };

  /** How far stream time must advance for something to be due; `Infinity` if nothing waits. */
  nextTickMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { idle } of this.#followers) {
      if (idle === undefined || idle.time.streamTime < 0) continue;
      next = Math.min(next, Math.max(0, idle.due() - idle.time.streamTime));
    }
    return next;
  }

  #each(act: (follower: TimeFollower, at: number) => void): void {
    for (const [at, follower] of this.#followers.entries()) {
      // Results of upper parts must reach this one before its time advances.
      this.#deferred.settle(follower.depth);
      act(follower, at);
    }
    this.#deferred.settle();
  }
}
