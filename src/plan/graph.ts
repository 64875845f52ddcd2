import type { NodeKind } from '../dataflow/node.ts';
import type { PlannedNode } from './plan.ts';
import type { Stage } from './stages.ts';
import { type Pipeline, plan, type Topology } from './topology.ts';

/** A step of a pipeline, for drawings. @public */
export interface GraphStep {
  /** Unique in the graph. Stable as long as the order of the steps in the program does not change. */
  readonly id: number;
  /** `rxjs` for a plain RxJS operator. */
  readonly kind: 'source' | 'table' | 'operator' | 'sink' | 'through' | 'rxjs';
  /** Such as `windowBy(clicks-per-minute)`. */
  readonly name: string;
  /** Topics that it reads or writes. */
  readonly topics: readonly string[];
  readonly stores: readonly string[];
  /** Ids of the steps that are its inputs. */
  readonly upstream: readonly number[];
}

/** The part of a pipeline between topics; runs as one task per partition. @public */
export interface GraphStage {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly steps: readonly GraphStep[];
}

/** The plan of a pipeline. Plain data, suitable for JSON. @public */
export interface PipelineGraph {
  readonly stages: readonly GraphStage[];
}

/**
 * Plans a pipeline without running it.
 *
 * @throws ConfigError for anything that `run` would refuse before it opens the log.
 *
 * @example
 * ```ts
 * import { describePipeline, json, keyBy, string, through, to, topic } from 'millrace';
 *
 * const clicks = topic('clicks', { value: json<{ user: string }>() });
 * const byUser = topic('clicks-by-user', { key: string(), value: json<{ user: string }>() });
 * const copy = topic('copy', { key: string(), value: json<{ user: string }>() });
 * const pipeline = clicks.pipe(keyBy((click) => click.user), through(byUser), to(copy));
 * for (const stage of describePipeline(pipeline).stages) {
 *   console.log(stage.steps.map((step) => step.name).join(' <- '));
 * }
 * // => through(clicks-by-user) <- keyBy <- topic(clicks)
 * // => to(copy) <- through(clicks-by-user) <- topic(clicks-by-user)
 * ```
 * @public
 */
export function describePipeline(pipeline: Pipeline): PipelineGraph {
  return graphOf(plan(pipeline));
}

/** The numbers of the steps, in graphs and snapshots. */
export function stepIds(stages: readonly Stage[]): ReadonlyMap<PlannedNode, number> {
  const ids = new Map<PlannedNode, number>();
  for (const node of stages.flatMap(({ nodes }) => nodes)) ids.set(node, ids.size);
  return ids;
}

export function graphOf({ stages }: Topology): PipelineGraph {
  const ids = stepIds(stages);
  const step = (node: PlannedNode): GraphStep => ({
    id: ids.get(node) as number,
    kind: node.spec.kind satisfies NodeKind,
    name: node.step,
    topics: [...(node.spec.topics ?? []), ...(node.spec.globals ?? [])].map(({ name }) => name),
    stores: (node.spec.stores ?? []).map(({ name }) => name),
    upstream: Array.from(node.upstream, (above) => ids.get(above) as number),
  });
  const stage = ({ inputs, name, nodes, outputs }: Stage): GraphStage => ({
    name,
    inputs: inputs.map((use) => use.name),
    outputs: outputs.map((use) => use.name),
    steps: nodes.map(step),
  });
  return { stages: stages.map(stage) };
}
