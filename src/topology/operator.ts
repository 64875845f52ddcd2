import { type Observable, type OperatorFunction, Subscriber } from 'rxjs';
import type { NodePlace, NodeSpec, StoreUse, TopicUse } from './node.ts';
import { type Emit, Stream, subscribeSilently } from './stream.ts';
import type { KeyGuard, Placed, TaskContext } from './task-context.ts';

/** What makes one of Millrace's own operators. */
export interface OperatorSpec<In, Out> {
  /** `operator` unless said otherwise. */
  readonly kind?: 'operator' | 'sink';
  readonly name: string;
  readonly topics?: readonly TopicUse[];
  readonly detail?: string;
  readonly stores?: readonly StoreUse[];
  /** See {@link NodeSpec.globals}. */
  readonly globals?: readonly TopicUse[];
  readonly changesKey?: boolean;
  readonly needsKey?: boolean;
  /** See {@link NodeSpec.roots}. */
  readonly roots?: readonly Observable<unknown>[];
  /** Streams that the operator depends on beside its source, such as a joined table: discovered and run with it. */
  readonly beside?: readonly Observable<unknown>[];
  /**
   * Builds the operator's instance for one task and returns what to do with a record: emit nothing, one or several
   * records to `out`, synchronously. A throw is a failure of that record and goes to the record policy, so user code
   * must have run before the first emission of a record.
   */
  create(out: Emit<Out>, task: TaskContext, place: NodePlace): Process<In>;
}

/** What an instance does with a record. */
export interface Process<In> {
  (record: In): void;
  /** The input is complete: calls `done` when nothing more will be emitted. Left out: at once. */
  readonly complete?: (done: () => void) => void;
}

/**
 * The one operator base: a thin RxJS shell over a function. It extends `Subscriber` instead of composing `map` and
 * `concatMap` because it runs per record: measured at a third of `concatMap`, and a throwing user function must reach
 * the record policy instead of ending the stream.
 */
class OperatorSubscriber<In, Out> extends Subscriber<In> {
  readonly #process: Process<In>;
  readonly #task: TaskContext;
  readonly #step: string;

  constructor(destination: Subscriber<Out>, process: Process<In>, task: TaskContext, step: string) {
    super(destination);
    this.#process = process;
    this.#task = task;
    this.#step = step;
  }

  protected override _next(record: In): void {
    if (!this.#task.inTurn) {
      this.#task.emittedOutsideTurn(this.#step);
      return;
    }
    try {
      this.#process(record);
    } catch (error) {
      this.#task.recordFailed(error, this.#step);
    }
  }

  /** Only plain RxJS operators end a stream with an error: the first step of ours below tells where. */
  protected override _error(error: unknown): void {
    this.#task.chainFailed(error, this.#step);
    super._error(error);
  }

  protected override _complete(): void {
    if (this.#process.complete === undefined) super._complete();
    else this.#process.complete(() => super._complete());
  }
}

/** Before a step that needs keys. */
class KeyedSubscriber<In, Out> extends OperatorSubscriber<In, Out> {
  readonly #guard: KeyGuard;
  readonly #failed: (error: unknown) => void;
  /** Records that may pass before the guard looks again. */
  #unseen = 0;

  constructor(destination: Subscriber<Out>, process: Process<In>, task: TaskContext, step: string, guard: KeyGuard) {
    super(destination, process, task, step);
    this.#guard = guard;
    this.#failed = (error) => task.recordFailed(error, step);
  }

  protected override _next(record: In): void {
    if (this.#unseen > 0) this.#unseen -= 1;
    else if (!this.#look(record)) return;
    super._next(record);
  }

  #look(record: In): boolean {
    try {
      this.#unseen = this.#guard.check(record as Placed);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }
}

/** Makes an operator from its spec. Each application to a source is a node of its own. */
export function operator<In, Out>(spec: OperatorSpec<In, Out>): OperatorFunction<In, Out> {
  return (source) => operatorStream(source, spec);
}

/** The stream that an operator makes of a source. */
export function operatorStream<In, Out>(source: Observable<In>, spec: OperatorSpec<In, Out>): Stream<Out> {
  const { beside = [], create, ...rest } = spec;
  const node: NodeSpec<Out> = {
    kind: 'operator',
    ...rest,
    discover() {
      for (const stream of beside) subscribeSilently(stream);
      subscribeSilently(source);
    },
    attach(subscriber, task, place) {
      // What stands beside is connected first, so that a table is there before the first record looks into it.
      for (const stream of beside) attachBeside(stream, task, place.step);
      const instance = create(subscriber, task, place);
      const guard = spec.needsKey === true ? task.keyGuard(place) : undefined;
      source.subscribe(
        guard === undefined
          ? new OperatorSubscriber(subscriber, instance, task, place.step)
          : new KeyedSubscriber(subscriber, instance, task, place.step, guard),
      );
    },
  };
  return new Stream(node);
}

/** Connects a side stream whose records nobody below needs; its errors are the task's. */
function attachBeside(stream: Observable<unknown>, task: TaskContext, step: string): void {
  const subscription = stream.subscribe({ error: (error: unknown) => task.chainFailed(error, step) });
  task.onTeardown(() => subscription.unsubscribe());
}
