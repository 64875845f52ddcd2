import type { Observable, OperatorFunction } from 'rxjs';
import type { KeptRows } from './kept-rows.ts';
import type { NodeSpec, StoreUse, TopicUse } from './node.ts';
import { connectNode } from './node-instance.ts';
import { portStream } from './port.ts';
import type { Step } from './step.ts';
import { adopted, Stream, subscribeSilently } from './stream.ts';
import type { IdleTime } from './task-context.ts';
import { type Traits, traitsOf } from './traits.ts';

/** What makes a step: how it looks to planning, and what it does in a task. */
export interface NodeDefinition<In, Out> extends Traits {
  /** `operator` unless said otherwise. */
  readonly kind?: 'operator' | 'sink';
  readonly name: string;
  readonly topics?: readonly TopicUse[];
  readonly detail?: string;
  readonly stores?: readonly StoreUse[];
  /** See {@link NodeSpec.globals}. */
  readonly globals?: readonly TopicUse[];
  /** The one input whose keys are checked, where it needs keys of several; all when left out. */
  readonly guard?: number;
  /** See {@link NodeSpec.rows}. */
  readonly rows?: KeptRows<unknown, unknown>;
  /** Outputs beside the main one, by name: `late`. */
  readonly ports?: readonly string[];
  /** Pipelines of the step's own that run with it, made of its ports. */
  readonly roots?: (port: <T>(name: string) => Stream<T>) => readonly Observable<unknown>[];
  /**
   * Builds the step's instance for one task. What it returns is called with records, in turns, and emits to `step`,
   * synchronously. A throw is a failure of that record and goes to the record policy, so user code must have run before the
   * first emission of a record.
   */
  create(step: Step<Out>): Take<In> | Instance;
}

/** What an instance does with a record: emits none, one or several. */
export type Take<In> = (record: In) => void;

/** An instance of a step in one task. */
export interface Instance {
  /** What it does with a record of each input, in the order of the inputs. */
  readonly take: readonly Take<never>[];
  /** The limit of the task's time has risen: emit whatever waited for that. */
  readonly advance?: () => void;
  /** The bounded input is used up: emit whatever waits for more stream time. */
  readonly closeAll?: () => void;
  /** What waits for stream time while no records come; `advance` then emits it. */
  readonly idle?: IdleTime;
  /** No row that waits for stream time is older than this; `Infinity` where none waits. */
  readonly holds?: () => number;
  /** All inputs are complete: calls `done` when nothing more will be emitted. Left out: at once. */
  readonly complete?: (done: () => void) => void;
}

/** A step with one input. Each application to a source is a node of its own. */
export function operator<In, Out>(definition: NodeDefinition<In, Out>): OperatorFunction<In, Out> {
  return (source) => node([source], definition);
}

/**
 * A step with inputs in an order, and a main output. Its ports are streams by {@link portOf}.
 *
 * @param inputs - Where two of them come from one source, a record of that reaches all of them before the step acts on any;
 * see {@link Arrivals}.
 */
export function node<In, Out>(
  inputs: readonly Observable<unknown>[],
  definition: NodeDefinition<In, Out>,
): Stream<Out> {
  const { detail, globals, kind = 'operator', name, roots, rows, stores, topics } = definition;
  const sources = inputs.map((input) => adopted(input, name));
  const spec: NodeSpec<Out> & { roots?: readonly Observable<unknown>[] } = {
    kind,
    name,
    traits: traitsOf(definition),
    ...(detail === undefined ? {} : { detail }),
    ...(globals === undefined ? {} : { globals }),
    ...(rows === undefined ? {} : { rows }),
    ...(stores === undefined ? {} : { stores }),
    ...(topics === undefined ? {} : { topics }),
    inputs: sources,
    discover() {
      for (const source of sources) subscribeSilently(source);
    },
    attach: (subscriber, task, place) => connectNode(definition, sources, stream, subscriber, task, place),
  };
  const stream = new Stream<Out>(spec);
  if (roots !== undefined) spec.roots = roots((port) => portOf(stream, port));
  return stream;
}

const PORTS = new WeakMap<Stream<unknown>, Map<string, Stream<unknown>>>();

/** A further output of a step: the same stream each time, so that all who take it share it. */
export function portOf<T>(step: Stream<unknown>, port: string): Stream<T> {
  const ports = PORTS.get(step) ?? new Map<string, Stream<unknown>>();
  PORTS.set(step, ports);
  const stream = ports.get(port) ?? portStream<unknown>(step, port, step.spec.detail);
  ports.set(port, stream);
  return stream as Stream<T>;
}
