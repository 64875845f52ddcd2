import type { Output } from '../../dataflow/task-context.ts';
import type { InputSet } from './input-set.ts';
import type { ShuffleTime } from './shuffle-time.ts';

/** What a task's reach depends on beside its inputs. */
export interface ReachHost {
  /** How far those are that write the inputs, where shuffles do. */
  readonly time?: ShuffleTime | undefined;
  /** Whether what the task writes to a topic says how far it is. */
  readonly followsWritten?: (topic: string) => boolean;
  /** Whether those who read what the task writes hear how far it is. */
  readonly speaks?: boolean;
}

/** How far a task has read what it reads, and so what it has to say to those who read what it writes. */
export class TaskReach {
  /** The bounded input is used up. */
  completed = false;
  readonly #inputs: InputSet;
  readonly #host: ReachHost;
  readonly #holds: () => number;
  /** Highest timestamp written, by topic. */
  readonly #written = new Map<string, number>();

  /** @param holds - No row that waits for stream time is older than this. */
  constructor(inputs: InputSet, host: ReachHost, holds: () => number) {
    this.#inputs = inputs;
    this.#host = host;
    this.#holds = holds;
    inputs.listen(host.time);
  }

  /** Whether everything that is known to be there has been taken. */
  get caughtUp(): boolean {
    return this.#inputs.caughtUp;
  }

  /** Whether that is so, and those that write the inputs have taken everything too. */
  get atEnd(): boolean {
    return this.completed || (this.#before === Number.POSITIVE_INFINITY && this.caughtUp);
  }

  /** Whether rows wait for stream time. */
  get holdsRows(): boolean {
    return this.#holds() < Number.POSITIVE_INFINITY;
  }

  /**
   * Whether what the task writes has to be in the very order of what others of its stage write: once it has said that it has
   * read its input to the end, nobody waits for it.
   */
  get needsOrder(): boolean {
    return this.#host.speaks === true && this.#before === Number.POSITIVE_INFINITY;
  }

  /**
   * What the task writes later is not older, as long as its own input is in order: −1 while unknown, infinity where all was
   * read and nothing waits.
   */
  get time(): number {
    return Math.min(this.#before, this.#inputs.timeReached(this.#host.time), this.#holds());
  }

  /** Highest timestamp that it has written to a topic; −1 before the first record. */
  written(topic: string): number {
    return this.#written.get(topic) ?? -1;
  }

  /** Notes what is written, where that says how far the task is. */
  watched(output: Output): Output {
    const { partitions, topic } = output;
    if (this.#host.followsWritten?.(topic) !== true) return output;
    return {
      topic,
      partitions,
      append: (partition, timestamp, key, value, headers) => {
        output.append(partition, timestamp, key, value, headers);
        if (timestamp > this.written(topic)) this.#written.set(topic, timestamp);
      },
    };
  }

  /** Whether the limit of the task's time has risen since the last call. */
  hasRisen(): boolean {
    const { time } = this.#host;
    if (time?.risen !== true) return false;
    time.risen = false;
    return true;
  }

  /** Who holds back the time of a task that has nothing else to do, in words. */
  heldBack(): string | undefined {
    const { time } = this.#host;
    if (time === undefined || !this.caughtUp || this.#inputs.streamTime <= time.limit) return undefined;
    return time.slowest();
  }

  /** How far those are that write the inputs. */
  get #before(): number {
    return this.#host.time?.reached ?? Number.POSITIVE_INFINITY;
  }
}

interface Waiting {
  readonly id: string;
  waitingFor(): string | undefined;
}

/** What keeps a task from taking a record, with its name. */
export function waitingOf(task: Waiting): string | undefined {
  return named(task.id, task.waitingFor());
}

/** Who holds back the time of a task, with its name. */
export function heldBack({ id, reach }: { readonly id: string; readonly reach: TaskReach }): string | undefined {
  return named(id, reach.heldBack());
}

function named(id: string, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `task ${id} waits for ${reason}`;
}
