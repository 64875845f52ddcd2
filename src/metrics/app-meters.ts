import { StepMeters } from './step-meters.ts';
import { Timing, type TimingSnapshot } from './timing.ts';

/** How long the parts of an application's work take. @public */
export interface TimingsSnapshot {
  /** What the application does before other events of the process are handled: turns of its tasks, one after the other. */
  readonly turns: TimingSnapshot;
  /**
   * How long it took to get records from the log: on the embedded log, to read a batch; on Kafka, from the request to an answer
   * that has records, with the time that the broker has waited for them (half a second at most).
   */
  readonly fetches: TimingSnapshot;
  /** From handing over the outputs to durable offsets. */
  readonly commits: TimingSnapshot;
  /**
   * From the timestamp of a record to the commit that covers it; of the newest record of each input partition in each
   * commit.
   */
  readonly recordToCommit: TimingSnapshot;
}

/** What is measured of an application, over the lives of its tasks. */
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
