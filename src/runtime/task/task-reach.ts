import type { Output } from '../../dataflow/task-context.ts';
import type { InputSet } from './input-set.ts';
import type { ShuffleTime } from './shuffle-time.ts';

/** What a task's reach depends on besides its inputs. */
export interface ReachHost {
  /** The progress of the writers of the inputs, if they are shuffles. */
  readonly time?: ShuffleTime | undefined;
  /** Whether the records written to a topic determine the announced progress. */
  readonly followsWritten?: (topic: string) => boolean;
  /** Whether the task announces its progress to readers of its output. */
  readonly speaks?: boolean;
}

/** How far a task has read its inputs, and therefore what it announces to readers of its output. */
export class TaskReach {
  /** Whether the bounded input is used up. */
  completed = false;
  readonly #inputs: InputSet;
  readonly #host: ReachHost;
  readonly #holds: () => number;
  /** Highest timestamp written, by topic. */
  readonly #written = new Map<string, number>();

  /** @param holds - Returns a lower bound for the timestamps of rows that wait for stream time. */
  constructor(inputs: InputSet, host: ReachHost, holds: () => number) {
    this.#inputs = inputs;
    this.#host = host;
    this.#holds = holds;
    inputs.listen(host.time);
  }

  /** Whether everything that is known to exist has been taken. */
  get caughtUp(): boolean {
    return this.#inputs.caughtUp;
  }

  /** Whether that is the case, and the writers of the inputs have taken everything too. */
  get atEnd(): boolean {
    return this.completed || (this.#before === Number.POSITIVE_INFINITY && this.caughtUp);
  }

  /** Whether rows wait for stream time. */
  get holdsRows(): boolean {
    return this.#holds() < Number.POSITIVE_INFINITY;
  }

  /**
   * Whether the outputs of the task must be in strict order with those of other tasks of its stage: after it has
   * announced the end of its input, nobody waits for it any more.
   */
  get needsOrder(): boolean {
    return this.#host.speaks === true && this.#before === Number.POSITIVE_INFINITY;
  }

  /**
   * Lower bound for the timestamps of later outputs, as long as the task's own input is in order: −1 while unknown,
   * infinity if everything was read and nothing waits.
   */
  get time(): number {
    return Math.min(this.#before, this.#inputs.timeReached(this.#host.time), this.#holds());
  }

  /** Highest timestamp that it has written to a topic; −1 before the first record. */
  written(topic: string): number {
    return this.#written.get(topic) ?? -1;
  }

  /** Wraps an output to track written timestamps, if they determine the announced progress. */
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

  /** Describes what holds back the time of a task that has nothing else to do. */
  heldBack(): string | undefined {
    const { time } = this.#host;
    if (time === undefined || !this.caughtUp || this.#inputs.streamTime <= time.limit) return undefined;
    return time.slowest();
  }

  /** The time that the writers of the inputs have reached. */
  get #before(): number {
    return this.#host.time?.reached ?? Number.POSITIVE_INFINITY;
  }
}

interface Waiting {
  readonly id: string;
  waitingFor(): string | undefined;
}

/** Describes what keeps a task from taking a record, with its name. */
export function waitingOf(task: Waiting): string | undefined {
  return named(task.id, task.waitingFor());
}

/** Describes what holds back the time of a task, with its name. */
export function heldBack({ id, reach }: { readonly id: string; readonly reach: TaskReach }): string | undefined {
  return named(id, reach.heldBack());
}

function named(id: string, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `task ${id} waits for ${reason}`;
}
