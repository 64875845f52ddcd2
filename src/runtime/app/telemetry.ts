import type { Clock } from '../../dataflow/clock.ts';
import type { CommittedOffset, FetcherOptions } from '../../log/transport.ts';
import type { AppMeters } from '../../metrics/app-meters.ts';
import type { TaskProgress } from '../task/task-host.ts';
import { TracedRecords } from '../task/traced-records.ts';
import { type CommitTimeEvent, channel } from './channels.ts';

/** A commit in progress. */
export interface BegunCommit {
  /** Epoch ms. */
  readonly at: number;
  /** When the first record since the previous commit was taken. */
  readonly since: number;
  /** Records read so far in the life of the application. */
  readonly read: number;
}

/** Measures the work of an engine and publishes it on Node's diagnostics channels. */
export class Telemetry {
  readonly traced: TracedRecords;
  /** Options for a fetcher. */
  readonly ofFetcher: Pick<FetcherOptions, 'timing'> = {
    timing: { begin: () => this.#clock.monotonic(), came: (began) => this.#fetched(this.#clock.monotonic() - began) },
  };
  readonly #applicationId: string;
  readonly #kind: string;
  readonly #clock: Clock;
  readonly #meters: AppMeters;
  readonly #turns = channel('millrace:turns');
  readonly #fetches = channel('millrace:fetch');
  readonly #commitTimes = channel('millrace:commit-time');
  readonly #commits = channel('millrace:commit');
  /** When the first record since the last commit was taken. */
  #since: number | undefined;
  /** Records read up to the last commit. */
  #told = 0;

  constructor(applicationId: string, kind: string, clock: Clock, meters: AppMeters) {
    this.#applicationId = applicationId;
    this.#kind = kind;
    this.#clock = clock;
    this.#meters = meters;
    this.#told = this.#read();
    this.traced = new TracedRecords(() => this.#commits.hasSubscribers);
  }

  /** Turns have occupied the process for this long. */
  turned(durationMs: number): void {
    this.#meters.turns.add(durationMs);
    this.#since ??= this.#clock.now() - durationMs;
    if (this.#turns.hasSubscribers) this.#turns.publish({ applicationId: this.#applicationId, durationMs });
  }

  #fetched(durationMs: number): void {
    this.#meters.fetches.add(durationMs);
    if (!this.#fetches.hasSubscribers) return;
    this.#fetches.publish({ applicationId: this.#applicationId, kind: this.#kind, durationMs });
  }

  /** The outputs of a commit are being sent. */
  begun(): BegunCommit {
    const at = this.#clock.now();
    const since = this.#since ?? at;
    this.#since = undefined;
    return { at, since, read: this.#read() };
  }

  committed(begun: BegunCommit, durationMs: number, progress: readonly TaskProgress[]): void {
    this.#meters.commits.add(durationMs);
    const now = this.#clock.now();
    for (const { newest } of progress) for (const time of newest) this.#meters.recordToCommit.add(now - time);
    this.#tell(begun, durationMs, progress, now, undefined);
  }

  failed(begun: BegunCommit, durationMs: number, progress: readonly TaskProgress[], error: unknown): void {
    this.#tell(begun, durationMs, progress, this.#clock.now(), error);
  }

  #tell(
    { at, read, since }: BegunCommit,
    durationMs: number,
    progress: readonly TaskProgress[],
    now: number,
    error: unknown,
  ): void {
    // Also while nobody listens: who begins to is told of the records since the commit before.
    const records = Math.max(0, read - this.#told);
    this.#told = read;
    if (!this.#commitTimes.hasSubscribers && !this.#commits.hasSubscribers) return;
    const times: CommitTimeEvent = {
      applicationId: this.#applicationId,
      kind: this.#kind,
      durationMs,
      recordToCommitMs: progress.flatMap(({ newest }) => newest.map((time) => Math.max(0, now - time))),
      error,
    };
    this.#commitTimes.publish(times);
    if (!this.#commits.hasSubscribers) return;
    this.traced.divide();
    const offsets = progress.flatMap((each): readonly CommittedOffset[] => each.offsets);
    this.#commits.publish({
      ...times,
      topics: [...new Set(offsets.map(({ topic }) => topic))].sort(),
      records,
      startedAt: since,
      committingAt: at,
      traced: offsets.flatMap(({ offset, partition, topic }) => this.traced.take(topic, partition, offset)),
    });
  }

  /** Records read from all topics, in all tasks. */
  #read(): number {
    let sum = 0;
    for (const { records } of this.#meters.steps.topics().values()) sum += records;
    return sum;
  }
}
