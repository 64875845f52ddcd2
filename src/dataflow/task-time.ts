/** What a task knows about time beyond the records that it has read. */
export interface TaskTime {
  /**
   * Upper limit for the stream time of the task's steps: records still on their way from another task may be this old.
   * `Infinity` if no shuffle feeds the task, or if all tasks above the shuffle have read their inputs to the end.
   */
  readonly limit: number;
}

/** The time of a task that no shuffle feeds. */
export const UNLIMITED: TaskTime = { limit: Number.POSITIVE_INFINITY };
