import type { TimeFollower } from '../../dataflow/task-context.ts';
import type { DeferredWork } from './deferred-work.ts';

/** The parts of a task that follow its time, in order of depth: rows of those above still belong to those below. */
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

  /** No row that waits for stream time is older than this. */
  holds(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers) least = Math.min(least, follower.holds());
    return least;
  }

  readonly closeAll = (): void => {
    this.#each((follower) => follower.closeAll());
  };

  /** So much time is over without records: the time of every step goes on by that. */
  readonly tick = (elapsedMs: number): void => {
    // Rows of those above must not move those below further than the time that is over.
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

  /** How far stream time has to go on for something to be due; `Infinity` where nothing waits. */
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
      // What came of those above is for this one too, before its time moves.
      this.#deferred.settle(follower.depth);
      act(follower, at);
    }
    this.#deferred.settle();
  }
}
