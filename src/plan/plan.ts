import type { Observable, Subscriber } from 'rxjs';
import type { NodeSpec } from '../dataflow/node.ts';
import { stepName, topicName } from '../dataflow/node.ts';
import { type Scope, withScope } from '../dataflow/scope.ts';
import { type Stream, subscribeSilently, TimerAtStart } from '../dataflow/stream.ts';
import { ConfigError, MillraceError } from '../errors.ts';
import { nodePlace } from './operator-place.ts';
import { waitsFromStart } from './outside-turn.ts';

/** A node that planning has found. */
export interface PlannedNode {
  readonly stream: Stream<unknown>;
  readonly spec: NodeSpec<unknown>;
  readonly step: string;
  /** Nodes that feed this one. */
  readonly upstream: Set<PlannedNode>;
  /** How many subscriptions it has; above one, its output is shared. */
  fanOut: number;
}

/** Everything that subscribing to a pipeline reveals, before it is divided into stages. */
export interface Discovery {
  readonly nodes: ReadonlyMap<Stream<unknown>, PlannedNode>;
  /** What a task must subscribe to: the ends of the pipeline, of its shuffles and of its side branches. */
  readonly roots: readonly Observable<unknown>[];
}

/**
 * Subscribes to the pipeline once, in a scope that connects nothing and records every node and edge. This works through
 * plain RxJS operators, because they subscribe to their sources when they are subscribed to.
 */
export function discover(pipelines: readonly Observable<unknown>[], applicationId?: string): Discovery {
  const scope = new PlanScope(applicationId);
  const roots: Observable<unknown>[] = [];
  scope.roots.push(...pipelines);
  for (let root = scope.roots.shift(); root !== undefined; root = scope.roots.shift()) {
    const end = root;
    roots.push(end);
    withScope(scope, () => scope.attempt(undefined, () => subscribeSilently(end)));
  }
  if (scope.failure !== undefined) throw planFailure(scope.failure, scope.nodes);
  if (scope.nodes.size === 0) {
    throw new ConfigError('ERR_EMPTY_PIPELINE', 'the pipeline has no topic', {
      hint: "start it with a topic: topic('clicks', …).pipe(…)",
    });
  }
  return { nodes: scope.nodes, roots };
}

class PlanScope implements Scope {
  readonly nodes = new Map<Stream<unknown>, PlannedNode>();
  readonly roots: Observable<unknown>[] = [];
  failure: PlanFailure | undefined;
  readonly #applicationId: string | undefined;
  readonly #stack: PlannedNode[] = [];

  constructor(applicationId: string | undefined) {
    this.#applicationId = applicationId;
  }

  connect<T>(stream: Stream<T>, _subscriber: Subscriber<T>): void {
    const known = this.nodes.get(stream);
    const node = known ?? this.#add(stream);
    node.fanOut += 1;
    this.#stack.at(-1)?.upstream.add(node);
    if (known !== undefined) return;
    this.#stack.push(node);
    this.attempt(node, () => node.spec.discover());
    this.#stack.pop();
    if (node.spec.roots !== undefined) this.roots.push(...node.spec.roots);
  }

  /** Keeps the first failure: RxJS would turn a throw into a notification, which nothing listens to while planning. */
  attempt(node: PlannedNode | undefined, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.failure ??= { node, error };
    }
  }

  #add(stream: Stream<unknown>): PlannedNode {
    const spec = this.#named(stream.spec);
    const node: PlannedNode = { stream, spec, step: stepName(spec), upstream: new Set(), fanOut: 0 };
    this.nodes.set(stream, node);
    return node;
  }

  /** The node with the application's names for its topics. */
  #named(spec: NodeSpec<unknown>): NodeSpec<unknown> {
    const id = this.#applicationId;
    if (id === undefined || spec.topics?.some(({ internal }) => internal) !== true) return spec;
    return { ...spec, topics: spec.topics.map((use) => ({ ...use, name: topicName(use, id) })) };
  }
}

interface PlanFailure {
  /** Where the failure happened; `undefined` for the end of a pipeline. */
  readonly node: PlannedNode | undefined;
  readonly error: unknown;
}

function planFailure({ error, node }: PlanFailure, nodes: Discovery['nodes']): MillraceError {
  if (error instanceof MillraceError) return error;
  if (!(error instanceof TimerAtStart)) return planningFailed(node?.step ?? 'the pipeline', error);
  const place =
    node === undefined
      ? 'an RxJS operator at the end of the pipeline'
      : nodePlace(node, node.spec.kind === 'rxjs' ? 'self' : 'above', nodes.values());
  return waitsFromStart(undefined, place);
}

function planningFailed(step: string, cause: unknown): ConfigError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError('ERR_PLANNING', `${step} failed while the pipeline was planned: ${reason}`, {
    cause,
    hint: 'a pipeline is subscribed once to find its steps: functions that run while it is subscribed must not fail',
  });
}
