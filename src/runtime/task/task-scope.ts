import type { Subscriber } from 'rxjs';
import { FanOut } from '../../dataflow/fan-out.ts';
import type { NodePlace } from '../../dataflow/node.ts';
import { stepName } from '../../dataflow/node.ts';
import { PendingTimes, TimeBelow } from '../../dataflow/pending-times.ts';
import type { Scope } from '../../dataflow/scope.ts';
import type { Stream } from '../../dataflow/stream.ts';
import type { TaskContext } from '../../dataflow/task-context.ts';
import type { TaskTime } from '../../dataflow/task-time.ts';
import { MillraceError } from '../../errors.ts';
import { closingAbove } from '../../plan/closing.ts';
import type { PlannedNode } from '../../plan/plan.ts';
import type { Stage } from '../../plan/stages.ts';
import { stepsAbove } from '../../plan/steps-above.ts';
import type { Topology } from '../../plan/topology.ts';
import type { HeldRecords } from './held-records.ts';

/**
 * Connects the nodes of one stage for one task. Nodes of other stages never emit here. A node with several subscribers
 * is instantiated once and its output is shared.
 */
export class TaskScope implements Scope {
  readonly #topology: Topology;
  readonly #stage: Stage;
  readonly #task: TaskContext;
  readonly #held: HeldRecords;
  readonly #shared = new Map<Stream<unknown>, FanOut<unknown>>();
  readonly #pending = new Map<PlannedNode, PendingTimes>();
  /** Creation order of the steps that are being connected, the currently subscribing one last. */
  readonly #below: number[] = [];

  constructor(topology: Topology, stage: Stage, task: TaskContext, held: HeldRecords) {
    this.#topology = topology;
    this.#stage = stage;
    this.#task = task;
    this.#held = held;
  }

  connect<T>(stream: Stream<T>, subscriber: Subscriber<T>): void {
    const any = stream as Stream<unknown>;
    const node = this.#topology.node(any);
    this.#held.watch(subscriber, any);
    if (node === undefined) {
      // Some RxJS operators, such as toArray, apply other operators on subscription, which creates new nodes each time.
      if (stream.spec.kind !== 'rxjs') throw unplanned(any);
      const step = stepName(stream.spec);
      const place = { step, stage: this.#stage.name, keySerde: undefined, depth: 0, diamond: false };
      this.#attach(stream, subscriber, place);
      return;
    }
    if (this.#topology.stageOf(any) !== this.#stage) return;
    const place: NodePlace = {
      step: node.step,
      stage: this.#stage.name,
      keySerde: this.#topology.keySerde(node),
      depth: this.#topology.depth(node),
      diamond: this.#topology.isDiamond(node),
      closesAfterMs: closingAbove(node),
      time: this.#timeOf(node),
      pending: node.spec.traits.reorders === true ? this.#pendingOf(node) : undefined,
    };
    if (node.fanOut < 2) {
      if (stream.spec.kind === 'source' || stream.spec.port === true) this.#held.feed(subscriber);
      this.#attach(stream, subscriber, place);
      return;
    }
    const order = this.#below.at(-1) ?? Number.POSITIVE_INFINITY;
    const known = this.#shared.get(any);
    if (known !== undefined) {
      known.branch(order, subscriber);
      return;
    }
    const output = new FanOut<unknown>();
    this.#shared.set(any, output);
    output.branch(order, subscriber);
    this.#held.watch(output, any);
    this.#held.share(any, output);
    // Its source does not end when the steps below unsubscribe.
    this.#task.onTeardown(() => output.unsubscribe());
    this.#attach(any, output, place);
  }

  /** The time of a node that gets records out of order from others of its stage. */
  #timeOf(node: PlannedNode): TaskTime | undefined {
    const above: PendingTimes[] = [];
    for (const step of stepsAbove(node)) {
      const isHere = this.#topology.stageOf(step.stream) === this.#stage;
      if (isHere && step.spec.traits.reorders === true) above.push(this.#pendingOf(step));
    }
    return above.length === 0 ? undefined : new TimeBelow(this.#task.time, above);
  }

  #pendingOf(node: PlannedNode): PendingTimes {
    const known = this.#pending.get(node) ?? new PendingTimes();
    this.#pending.set(node, known);
    return known;
  }

  #attach<T>(stream: Stream<T>, subscriber: Subscriber<T>, place: NodePlace): void {
    this.#below.push(stream.order);
    try {
      stream.spec.attach(subscriber, this.#task, place);
    } finally {
      this.#below.pop();
    }
  }
}

function unplanned(stream: Stream<unknown>): MillraceError {
  return new MillraceError(
    'config',
    'ERR_UNPLANNED',
    `${stepName(stream.spec)} was not found when the pipeline was planned`,
    {
      hint:
        'a pipeline must have the same shape each time it is subscribed: streams that are subscribed later (inside switchMap, ' +
        'concat, defer with conditions) cannot be part of it',
    },
  );
}
