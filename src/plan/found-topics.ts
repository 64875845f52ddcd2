import type { TopicUse } from '../dataflow/node.ts';
import { type Stage, stageIndex } from './stages.ts';
import type { Topology } from './topology.ts';

/** The patterns of topics that a pipeline reads, each once. */
export function patternsOf({ stages }: Pick<Topology, 'stages'>): readonly TopicUse[] {
  return stages.flatMap(({ inputs }) => inputs.filter(({ takes }) => takes !== undefined));
}

/** The topology with the patterns replaced by the topics that they matched. */
export function withFound(topology: Topology, found: ReadonlyMap<string, readonly string[]>): Topology {
  const foundOf = (use: TopicUse): readonly TopicUse[] => {
    const { takes, ...rest } = use;
    if (takes === undefined) return [use];
    return (found.get(use.name) ?? []).map((name) => ({ ...rest, name, foundBy: use.name }));
  };
  const stages = topology.stages.map((stage): Stage => ({ ...stage, inputs: stage.inputs.flatMap(foundOf) }));
  const index = stageIndex(stages);
  return { ...topology, stages, stageOf: (stream) => index.get(stream) };
}

/** Whether a stage relies on keys being in their partitions, so that its topics need the same number of partitions. */
export function needsKeys({ nodes }: Stage): boolean {
  return nodes.some(({ spec }) => spec.traits.needsKey === true || spec.kind === 'table');
}
