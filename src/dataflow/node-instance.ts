import type { Observable, Subscriber } from 'rxjs';
import { Arrivals } from './arrivals.ts';
import { InputSubscriber, KeyedSubscriber } from './input-subscriber.ts';
import type { NodePlace } from './node.ts';
import type { Instance, NodeDefinition, Take } from './operator.ts';
import { recordsOnly } from './records-only.ts';
import { Step } from './step.ts';
import { Stream } from './stream.ts';
import type { TaskContext } from './task-context.ts';

/** Builds the instance of a step for one task and connects it to its inputs, in order. */
export function connectNode<In, Out>(
  definition: NodeDefinition<In, Out>,
  inputs: readonly Observable<unknown>[],
  stream: Stream<Out>,
  below: Subscriber<Out>,
  task: TaskContext,
  place: NodePlace,
): void {
  const meter = task.meters.of(stream);
  const step = new Step<Out>(stream, below, task, place, meter);
  const instance = instanceOf(definition.create(step));
  const { advance = nothing, closeAll = nothing, holds = nothingWaits, idle } = instance;
  if (advance !== nothing || closeAll !== nothing) {
    const follower = { depth: place.depth, advance, closeAll, holds };
    task.addTimeFollower(idle === undefined ? follower : { ...follower, idle });
  }
  const takes = instance.take as readonly Take<unknown>[];
  const arrivals = place.diamond ? new Arrivals(task, place, takes) : undefined;
  let open = inputs.length;
  const ended = (): void => {
    open -= 1;
    if (open > 0) return;
    const done = (): void => {
      below.complete();
      if (definition.ports !== undefined) task.outlets(stream).complete();
    };
    if (instance.complete === undefined) done();
    else instance.complete(done);
  };
  const guard = definition.needsKey === true ? task.keyGuard(place) : undefined;
  for (const [index, input] of inputs.entries()) {
    const own = arrivals === undefined ? (takes[index] as Take<unknown>) : arrivals.input(index);
    // Millrace steps can only emit records, so their output needs no check.
    const take = input instanceof Stream && input.spec.kind !== 'rxjs' ? own : recordsOnly(own, input);
    const destination = below as Subscriber<unknown>;
    const from = input instanceof Stream ? input : undefined;
    const meters = { step: meter, input: task.meters.input(stream, index, from) };
    input.subscribe(
      guard === undefined || (definition.guard ?? index) !== index
        ? new InputSubscriber(destination, take, ended, task, place.step, meters)
        : new KeyedSubscriber(destination, take, ended, task, place.step, meters, guard),
    );
  }
}

function instanceOf<In>(made: Take<In> | Instance): Instance {
  return typeof made === 'function' ? { take: [made] } : made;
}

function nothing(): void {}

function nothingWaits(): number {
  return Number.POSITIVE_INFINITY;
}
