import type { Observable, OperatorFunction } from 'rxjs';
import type { KeptRows } from './kept-rows.ts';
import type { NodeSpec, StoreUse, TopicUse } from './node.ts';
import { connectNode } from './node-instance.ts';
import { portStream } from './port.ts';
import type { Step } from './step.ts';
import { adopted, Stream, subscribeSilently } from './stream.ts';
import type { IdleTime } from './task-context.ts';
import { type Traits, traitsOf } from './traits.ts';

/** The definition of a step: its description for planning, and its behaviour in a task. */
export interface NodeDefinition<In, Out> extends Traits {
  /** Kind of the node (default: `operator`). */
  readonly kind?: 'operator' | 'sink';
  readonly name: string;
  readonly topics?: readonly TopicUse[];
  readonly detail?: string;
  readonly stores?: readonly StoreUse[];
  /** See {@link NodeSpec.globals}. */
  readonly globals?: readonly TopicUse[];
  /** The only input whose keys are checked, if the step needs keys (default: all inputs). */
  readonly guard?: number;
  /** See {@link NodeSpec.rows}. */
  readonly rows?: KeptRows<unknown, unknown>;
  /** Outputs besides the main one, by name: `late`. */
  readonly ports?: readonly string[];
  /** Pipelines that belong to the step and run with it, built from its ports. */
  readonly roots?: (port: <T>(name: string) => Stream<T>) => readonly Observable<unknown>[];
  /**
   * Builds the step's instance for one task. The returned handlers are called with records, in turns, and emit to
   * `step` synchronously. If one throws, the record fails and goes to the record policy, so user code must run before
   * the first emission of a record.
   */
  create(step: Step<Out>): Take<In> | Instance;
}

/** Handles a record, and emits any number of records. */
export type Take<In> = (record: In) => void;

/** An instance of a step in one task. */
export interface Instance {
  /** The handlers of the inputs, in order. */
  readonly take: readonly Take<never>[];
  /** Called when the limit of the task's time has risen: emit whatever waited for that. */
  readonly advance?: () => void;
  /** Called when a bounded input is used up: emit whatever waits for more stream time. */
  readonly closeAll?: () => void;
  /** What waits for stream time while no records arrive; `advance` then emits it. */
  readonly idle?: IdleTime;
  /** Lower bound for the timestamps of rows that wait for stream time; `Infinity` if none waits. */
  readonly holds?: () => number;
  /** Called when all inputs are complete: call `done` when nothing more will be emitted (default: immediately). */
  readonly complete?: (done: () => void) => void;
}

/** A step with one input. Each application to a source creates a separate node. */
export function operator<In, Out>(definition: NodeDefinition<In, Out>): OperatorFunction<In, Out> {
  return (source) => node([source], definition);
}

/**
 * A step with ordered inputs and a main output. {@link portOf} returns its ports as streams.
 *
 * @param inputs - If two of them derive from one source, a record of that source reaches all of them before the step
 * acts on any; see {@link Arrivals}.
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

/** A secondary output of a step: every call returns the same stream, so that all readers share it. */
export function portOf<T>(step: Stream<unknown>, port: string): Stream<T> {
  const ports = PORTS.get(step) ?? new Map<string, Stream<unknown>>();
  PORTS.set(step, ports);
  const stream = ports.get(port) ?? portStream<unknown>(step, port, step.spec.detail);
  ports.set(port, stream);
  return stream as Stream<T>;
}
