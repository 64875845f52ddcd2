import type { TaskTime } from '../../dataflow/task-time.ts';
import type { ShuffleWriter } from '../../plan/shuffles.ts';
import { decodeAnnouncement } from '../../protocol/time-announcement.ts';
import { HeardStage } from './heard-stage.ts';

/**
 * How far the tasks are that write what a task reads, by what they have announced in its inputs. Stream time may go no
 * further than the one that is least far and has not read its input to the end; one that was not heard of yet is nowhere.
 *
 * That an input was read to its end is believed while all tasks have said what they said last in one generation of the group: when a
 * task speaks that was given to a process anew, others may be under way that are behind and have not said so yet.
 */
export class ShuffleTime implements TaskTime {
  limit = -1;
  /** The limit has risen since somebody has put this back. */
  risen = false;
  readonly #topics: ReadonlyMap<string, readonly HeardStage[]>;
  readonly #stages: readonly HeardStage[];
  readonly #epoch: () => number;
  /** In which generation all tasks have spoken last; `undefined` while these differ. */
  #agreed: number | undefined;
  /** How far all of them are. */
  #reached = -1;
  /** What was described since something was heard last. */
  readonly #described = new Map<string, string>();

  /**
   * @param topics - The inputs that shuffles write, and who writes them.
   * @param heard - What {@link describe} said of an input at the offset where the task begins.
   * @param epoch - The generation in which the task works now.
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
   * How far all of them are, those aside that have read their inputs to the end; also where time does not follow that. What the
   * task says of itself rests on it, so it believes only what was said in the generation in which it says so.
   */
  get reached(): number {
    const { length } = this.#stages;
    if (length === 0 || this.#reached < Number.POSITIVE_INFINITY) return this.#reached;
    return this.#agreed === this.#epoch() ? this.#reached : -1;
  }

  /** Whether an input is one that shuffles write. */
  follows(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** An announcement was read in an input. What another application says, or a stage that is gone, changes nothing. */
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

  /** The task that is least far, in words; `undefined` when all have read their inputs to the end. */
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

  /** What was heard in an input, to go on from; `undefined` where nothing is followed. */
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
