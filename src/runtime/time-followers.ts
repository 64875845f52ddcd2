import type { TimeFollower } from '../topology/task-context.ts';

/** The parts of a task that follow its time, in order of depth: rows of those above still belong to those below. */
export class TimeFollowers {
  readonly #followers: TimeFollower[] = [];

  readonly add = (follower: TimeFollower): void => {
    this.#followers.push(follower);
    this.#followers.sort((left, right) => left.depth - right.depth);
  };

  readonly advance = (): void => {
    for (const follower of this.#followers) follower.advance();
  };

  readonly closeAll = (): void => {
    for (const follower of this.#followers) follower.closeAll();
  };
}
