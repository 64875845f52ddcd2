import { StepMeters } from './step-meters.ts';
import { Timing, type TimingSnapshot } from './timing.ts';

/** Durations of the parts of an application's work. @public */
export interface TimingsSnapshot {
  /** Consecutive turns of tasks that run before the event loop gets a turn. */
  readonly turns: TimingSnapshot;
  /**
   * Fetching records from the log: on the embedded log, reading a batch; on Kafka, the time from a request to a
   * response with records, including the time that the broker waited for records (half a second at most).
   */
  readonly fetches: TimingSnapshot;
  /** From flushing outputs to durable offsets. */
  readonly commits: TimingSnapshot;
  /**
   * From the timestamp of a record to the commit that covers it, measured for the newest record of each input partition
   * in each commit.
   */
  readonly recordToCommit: TimingSnapshot;
}

/** The measurements of an application; they outlive its tasks. */
export class AppMeters {
  readonly steps: StepMeters = new StepMeters();
  readonly turns: Timing = new Timing();
  readonly fetches: Timing = new Timing();
  readonly commits: Timing = new Timing();
  readonly recordToCommit: Timing = new Timing();

  timings(): TimingsSnapshot {
    return {
      turns: this.turns.snapshot(),
      fetches: this.fetches.snapshot(),
      commits: this.commits.snapshot(),
      recordToCommit: this.recordToCommit.snapshot(),
    };
  }
}
