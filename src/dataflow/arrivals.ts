import type { EmittedRow } from './emitted-row.ts';
import type { NodePlace } from './node.ts';
import type { Deferred, TaskContext } from './task-context.ts';

/** A record that has arrived, and the emitted row that it is. */
interface Arrival {
  readonly record: unknown;
  readonly row: EmittedRow | undefined;
}

/**
 * Collects records for a node that has two inputs derived from one source. A record of that source reaches all inputs
 * before the node acts on any, and they are then handled in the order of the inputs. So it does not matter which path
 * through the pipeline is longer or was written first.
 */
export class Arrivals implements Deferred {
  readonly depth: number;
  readonly #task: TaskContext;
  readonly #step: string;
  readonly #takes: readonly ((record: unknown) => void)[];
  readonly #queues: Arrival[][];
  #waiting = false;

  /** @param takes - The node's handlers, one for each input. */
  constructor(
    task: TaskContext,
    { depth, step }: Pick<NodePlace, 'depth' | 'step'>,
    takes: readonly ((record: unknown) => void)[],
  ) {
    this.#task = task;
    this.#step = step;
    this.depth = depth;
    this.#takes = takes;
    this.#queues = takes.map(() => []);
  }

  /** The handler that collects the records of an input. */
  input(index: number): (record: unknown) => void {
    const queue = this.#queues[index] as Arrival[];
    return (record) => {
      queue.push({ record, row: this.#task.row });
      if (this.#waiting) return;
      this.#waiting = true;
      this.#task.defer(this);
    };
  }

  run(): void {
    this.#waiting = false;
    for (const [index, queue] of this.#queues.entries()) {
      const take = this.#takes[index] as (record: unknown) => void;
      for (const arrival of queue.splice(0)) this.#run(take, arrival);
    }
  }

  #run(take: (record: unknown) => void, { record, row }: Arrival): void {
    const outer = this.#task.row;
    this.#task.row = row;
    try {
      take(record);
    } catch (error) {
      this.#task.recordFailed(error, this.#step);
    } finally {
      this.#task.row = outer;
    }
  }
}
