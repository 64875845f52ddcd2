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

  readonly closeAll = (): void => {
    this.#each((follower) => follower.closeAll());
  };

  #each(act: (follower: TimeFollower) => void): void {
    for (const follower of this.#followers) {
      // What came of those above is for this one too, before its time moves.
      this.#deferred.settle(follower.depth);
      act(follower);
    }
    this.#deferred.settle();
  }
}
