import type { NodeSpec } from '../dataflow/node.ts';
import type { Stream } from '../dataflow/stream.ts';
import type { PlannedNode } from './plan.ts';
import type { Topology } from './topology.ts';

/** A plain RxJS operator that does something incompatible with turns, and where it was found. */
export interface Finding {
  /** The nearest known stream of the pipeline. */
  readonly stream: Stream<unknown>;
  /** The operator's place relative to that stream. */
  readonly side: 'self' | 'above' | 'below';
}

/** Describes the place of a plain RxJS operator by its neighbours, because it has no name itself. */
export function operatorPlace({ side, stream }: Finding, topology: Topology): string {
  const node = topology.node(stream);
  if (node === undefined) return `an RxJS operator${at(stream.spec)}`;
  if (side === 'self' && node.spec.kind !== 'rxjs') return nodePlace(node, 'below', topology.nodes);
  return nodePlace(node, side, topology.nodes);
}

export function nodePlace(node: PlannedNode, side: Finding['side'], nodes: Iterable<PlannedNode>): string {
  const below = new Map<PlannedNode, PlannedNode[]>();
  for (const each of nodes) {
    for (const above of each.upstream) below.set(above, [...(below.get(above) ?? []), each]);
  }
  const up = side === 'below' ? [node.step] : named(node, (each) => each.upstream);
  const down = side === 'above' ? [node.step] : named(node, (each) => below.get(each) ?? []);
  const between = `between ${list(up, 'its source')} and ${list(down, 'the end of the pipeline')}`;
  return `an RxJS operator ${between}${side === 'self' ? at(node.spec) : ''}`;
}

function at({ place }: NodeSpec<unknown>): string {
  const where = place?.toString();
  return where === undefined ? '' : `, at ${where}`;
}

/** The nearest steps in one direction that have names. */
function named(node: PlannedNode, next: (node: PlannedNode) => Iterable<PlannedNode>): string[] {
  const found = new Set<string>();
  const seen = new Set<PlannedNode>([node]);
  for (const each of seen) {
    for (const neighbour of next(each)) {
      if (neighbour.spec.kind === 'rxjs') seen.add(neighbour);
      else found.add(neighbour.step);
    }
  }
  return [...found];
}

function list(steps: readonly string[], none: string): string {
  return steps.length === 0 ? none : steps.join(', ');
}
