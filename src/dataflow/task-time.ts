/** What a task knows of time beyond the records that it has read. */
export interface TaskTime {
  /**
   * Stream time of the task's steps may not go beyond it: what is still on its way from another task may be as old as
   * this. `Infinity` where no shuffle feeds the task, and where all tasks above a shuffle have read their inputs to the end.
   */
  readonly limit: number;
}

/** Of a task that no shuffle feeds. */
export const UNLIMITED: TaskTime = { limit: Number.POSITIVE_INFINITY };
