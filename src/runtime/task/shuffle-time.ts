import type { TaskTime } from '../../dataflow/task-time.ts';
import type { ShuffleWriter } from '../../plan/shuffles.ts';
import { decodeAnnouncement } from '../../protocol/time-announcement.ts';

/**
 * How far the tasks are that write what a task reads, by what they have announced in its inputs. Stream time may go no
 * further than the one that is least far and has not read its input to the end; one that was not heard of yet is nowhere.
 */
export class ShuffleTime implements TaskTime {
  limit: number;
  /** How far all of them are, those aside that have read their inputs to the end; also where time does not follow that. */
  reached: number;
  /** The limit has risen since somebody has put this back. */
  risen = false;
  readonly #topics: ReadonlyMap<string, readonly HeardStage[]>;
  /** What was described since something was heard last. */
  readonly #described = new Map<string, string>();

  /**
   * @param topics - The inputs that shuffles write, and who writes them.
   * @param heard - What {@link describe} said of an input at the offset where the task begins.
   */
  constructor(topics: ReadonlyMap<string, readonly ShuffleWriter[]>, heard: ReadonlyMap<string, string>) {
    this.#topics = new Map(
      Array.from(topics, ([topic, writers]) => [
        topic,
        writers.map((writer) => new HeardStage(writer, heard.get(topic))),
      ]),
    );
    this.limit = this.#least(sharedOnly);
    this.reached = this.#least(all);
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
    for (const { caughtUp, partition, time } of announcement.tasks) stage.hear(partition, time, caughtUp);
    this.#described.delete(topic);
    const before = this.limit;
    this.limit = this.#least(sharedOnly);
    this.reached = this.#least(all);
    if (this.limit > before) this.risen = true;
  }

  /** The task that is least far, in words; `undefined` when all have read their inputs to the end. */
  slowest(): string | undefined {
    let slowest: string | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const stage of [...this.#topics.values()].flat()) {
      const found = stage.alone ? undefined : stage.slowest();
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
    for (const stages of this.#topics.values()) {
      for (const stage of stages) if (counts(stage)) least = Math.min(least, stage.least());
    }
    return least;
  }
}

const all = (): boolean => true;
const sharedOnly = (stage: HeardStage): boolean => !stage.alone;

/** What the tasks of one stage have announced. */
class HeardStage {
  readonly number: number;
  readonly alone: boolean;
  readonly #name: string;
  readonly #tasks: number;
  /** By partition; infinity for one that has read its input to the end. */
  readonly #times: number[] = [];

  constructor({ alone, number, stage, tasks }: ShuffleWriter, described = '') {
    this.number = number;
    this.alone = alone;
    this.#name = stage.name;
    this.#tasks = tasks;
    for (const text of described.split(';')) {
      const [stage, least = '', caughtUp = '', count = '0'] = text.split(':');
      if (stage !== number.toString(36)) continue;
      for (const [at, digit] of [...caughtUp].entries()) {
        for (let bit = 0; bit < 5 && at * 5 + bit < Number(count); bit += 1) {
          const up = (Number.parseInt(digit, 32) & (1 << bit)) !== 0;
          this.#times[at * 5 + bit] = up ? Number.POSITIVE_INFINITY : Number.parseInt(least, 36);
        }
      }
    }
  }

  hear(partition: number, time: number, caughtUp: boolean): void {
    while (this.#times.length < partition) this.#times.push(-1);
    const before = this.#times[partition] ?? -1;
    if (caughtUp) this.#times[partition] = Number.POSITIVE_INFINITY;
    else this.#times[partition] = before === Number.POSITIVE_INFINITY ? time : Math.max(before, time);
  }

  slowest(): { readonly task: string; readonly time: number } | undefined {
    const least = this.least();
    if (least === Number.POSITIVE_INFINITY) return undefined;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      const time = this.#times[partition] ?? -1;
      if (time === least) return { task: `${this.#name}/${partition}`, time };
    }
    return undefined;
  }

  least(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let partition = 0; partition < this.#tasks; partition += 1) {
      least = Math.min(least, this.#times[partition] ?? -1);
    }
    return least;
  }

  /** In a few characters, because it goes with each commit: the least time, and who has read its input to the end. */
  describe(): string {
    const times = this.#times;
    const behind = times.filter((time) => time !== Number.POSITIVE_INFINITY);
    const least = behind.reduce((low, time) => Math.min(low, time), behind[0] ?? -1);
    let caughtUp = '';
    for (let at = 0; at < times.length; at += 5) {
      let digit = 0;
      for (let bit = 0; bit < 5; bit += 1) if (times[at + bit] === Number.POSITIVE_INFINITY) digit |= 1 << bit;
      caughtUp += digit.toString(32);
    }
    return `${this.number.toString(36)}:${least.toString(36)}:${caughtUp}:${times.length}`;
  }
}
