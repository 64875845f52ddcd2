import type { Subscriber } from 'rxjs';
import { Stream, subscribeSilently } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** A secondary output of a node in one task. Without a step below it, emitted records are discarded. */
export class Outlet<T> {
  #below: Subscriber<T> | undefined;

  /** Whether there is a step below it. */
  get used(): boolean {
    return this.#below !== undefined;
  }

  attach(subscriber: Subscriber<T>): void {
    this.#below = subscriber;
  }

  next(record: T): void {
    this.#below?.next(record);
  }

  complete(): void {
    this.#below?.complete();
  }
}

/** The outlets of one node in one task, by the names of its ports. */
export class Outlets {
  readonly #outlets = new Map<string, Outlet<unknown>>();

  get<T>(port: string): Outlet<T> {
    let outlet = this.#outlets.get(port);
    if (outlet === undefined) {
      outlet = new Outlet<unknown>();
      this.#outlets.set(port, outlet);
    }
    return outlet;
  }

  complete(): void {
    for (const outlet of this.#outlets.values()) outlet.complete();
  }
}

/** The outlets of all nodes of a task. */
export class TaskOutlets {
  readonly #nodes = new Map<Stream<unknown>, Outlets>();

  readonly of = (node: Stream<unknown>): Outlets => {
    let outlets = this.#nodes.get(node);
    if (outlets === undefined) {
      outlets = new Outlets();
      this.#nodes.set(node, outlets);
    }
    return outlets;
  };
}

/**
 * A secondary output of a node, such as its late records, as a stream. Subscribing to it runs the node, once, whether
 * or not its main output is used.
 *
 * @param node - The main output of the node.
 * @param port - The name under which the node emits to it.
 * @param detail - The node's store, for messages.
 */
export function portStream<T>(node: Stream<unknown>, port: string, detail?: string): Stream<T> {
  return new Stream<T>({
    kind: 'operator',
    name: port,
    port: true,
    inputs: [node],
    traits: { keepsTime: true },
    ...(detail === undefined ? {} : { detail }),
    discover: () => subscribeSilently(node),
    attach(subscriber, task, place) {
      task.outlets(node).get<T>(port).attach(subscriber);
      connectAside(node, task, place.step);
    },
  });
}

/** Connects a stream whose records are not needed here; its errors go to the task. */
function connectAside(stream: Stream<unknown>, task: TaskContext, step: string): void {
  const subscription = stream.subscribe({ error: (error: unknown) => task.chainFailed(error, step) });
  task.onTeardown(() => subscription.unsubscribe());
}
