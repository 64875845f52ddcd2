import type { TaskTime } from '../../dataflow/task-time.ts';
import type { ShuffleWriter } from '../../plan/shuffles.ts';
import { decodeAnnouncement } from '../../protocol/time-announcement.ts';
import { HeardStage } from './heard-stage.ts';

/**
 * The progress of the tasks that write the inputs of a task, according to their announcements. Stream time must not go
 * beyond the slowest of them that has not read its input to the end; a task without an announcement holds it at the
 * start.
 *
 * An announced end of an input is trusted while the last announcements of all tasks are from one generation of the
 * group: after a rebalance, other reassigned tasks may be behind without having announced it yet.
 */
export class ShuffleTime implements TaskTime {
  limit = -1;
  /** Whether the limit has risen since this was reset. */
  risen = false;
  readonly #topics: ReadonlyMap<string, readonly HeardStage[]>;
  readonly #stages: readonly HeardStage[];
  readonly #epoch: () => number;
  /** The common generation of the last announcements; `undefined` while they differ. */
  #agreed: number | undefined;
  /** The time that all of them have reached. */
  #reached = -1;
  /** Cached descriptions, valid until the next announcement. */
  readonly #described = new Map<string, string>();

  /**
   * @param topics - The inputs that are shuffles, and their writers.
   * @param heard - The {@link describe} result of an input at the start offset of the task.
   * @param epoch - The current generation of the task.
   */
  constructor(
    topics: ReadonlyMap<string, readonly ShuffleWriter[]>,
    heard: ReadonlyMap<string, string>,
    epoch: () => number = () => 0,
  ) {
    this.#epoch = epoch;
    this.#topics = new Map(
      Array.from(topics, ([topic, writers]) => [
        topic,
        writers.map((writer) => new HeardStage(writer, heard.get(topic))),
      ]),
    );
    this.#stages = [...this.#topics.values()].flat().filter(({ hasTasks }) => hasTasks);
    this.#follow();
  }

  /**
   * The time that all of them have reached, not counting those that have read their inputs to the end, even if stream
   * time does not follow it. The task's own announcements are based on it, so it only trusts announcements of the
   * current generation.
   */
  get reached(): number {
    const { length } = this.#stages;
    if (length === 0 || this.#reached < Number.POSITIVE_INFINITY) return this.#reached;
    return this.#agreed === this.#epoch() ? this.#reached : -1;
  }

  /** Whether an input is a shuffle. */
  follows(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** Handles an announcement in an input. Those of another application or a removed stage are ignored. */
  hear(topic: string, bytes: Uint8Array): void {
    const announcement = decodeAnnouncement(bytes);
    const stage = this.#topics.get(topic)?.find(({ number }) => number === announcement?.stage);
    if (announcement === undefined || stage === undefined) return;
    const { epoch, tasks } = announcement;
    for (const { caughtUp, partition, time } of tasks) stage.hear(partition, time, caughtUp, epoch, this.#epoch());
    this.#described.delete(topic);
    const before = this.limit;
    this.#follow();
    if (this.limit > before) this.risen = true;
  }

  #follow(): void {
    const [first, ...rest] = this.#stages;
    const epoch = first?.epoch();
    this.#agreed = rest.every((stage) => stage.epoch() === epoch) ? epoch : undefined;
    this.limit = this.#least(sharedOnly);
    this.#reached = this.#least(all);
  }

  /** Describes the task that is furthest behind; `undefined` if all have read their inputs to the end. */
  slowest(): string | undefined {
    let slowest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const stage of this.#stages) {
      const found = stage.alone ? undefined : stage.slowest(this.#agreed !== undefined, this.#epoch());
      if (found === undefined || found.time >= least) continue;
      least = found.time;
      const reached = least < 0 ? 'has not been heard of yet' : `has come to ${new Date(least).toISOString()}`;
      slowest = `the time of task ${found.task}, which ${reached}`;
    }
    return slowest;
  }

  /**
   * A description of the announcements in an input, to continue from after a restart; `undefined` if the input is not a
   * shuffle.
   */
  describe(topic: string): string | undefined {
    const known = this.#described.get(topic);
    if (known !== undefined) return known;
    const described = this.#topics
      .get(topic)
      ?.map((stage) => stage.describe())
      .join(';');
    if (described !== undefined) this.#described.set(topic, described);
    return described;
  }

  #least(counts: (stage: HeardStage) => boolean): number {
    let least = Number.POSITIVE_INFINITY;
    for (const stage of this.#stages) {
      if (counts(stage)) least = Math.min(least, stage.least(this.#agreed !== undefined));
    }
    return least;
  }
}

const all = (): boolean => true;
const sharedOnly = (stage: HeardStage): boolean => !stage.alone;
