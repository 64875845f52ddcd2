import type { StoreRoutes } from '../log/store-trail.ts';
import type { PlannedNode } from './plan.ts';
import type { Stage } from './stages.ts';

/**
 * How the records of a topic come to stores of the stage that reads it, and through its outputs to those of other stages.
 * Steps without a common input are in one stage if some step reads both; what only one of them gets is not the other's.
 */
export function storeRoutes(stage: Stage, topic: string, stages: readonly Stage[]): StoreRoutes {
  const below = stepsBelow(stage, topic);
  const stores = storesOf(below);
  const outputs = [...outputsOf(below)];
  const behind = new Map<string, string[]>();
  for (const output of outputs) {
    for (const store of storesAfter(output, stages)) behind.set(store, [...(behind.get(store) ?? []), output]);
  }
  for (const name of stores) behind.delete(name);
  const apart = stage.stores.map(({ name }) => name).filter((name) => !stores.has(name));
  return { stores: [...stores], apart, outputs, behind };
}

function storesAfter(topic: string, stages: readonly Stage[]): ReadonlySet<string> {
  const stores = new Set<string>();
  const topics = new Set([topic]);
  // A set visits what is added while it is read.
  for (const name of topics) {
    for (const stage of stages) {
      if (!stage.inputs.some((use) => use.name === name)) continue;
      const below = stepsBelow(stage, name);
      for (const store of storesOf(below)) stores.add(store);
      for (const output of outputsOf(below)) topics.add(output);
    }
  }
  return stores;
}

/** The steps that records of an input come to, directly or through others. */
function stepsBelow({ inputs, nodes }: Stage, topic: string): ReadonlySet<PlannedNode> {
  const use = inputs.find(({ name }) => name === topic);
  const name = use?.foundBy ?? topic;
  const reads = ({ spec }: PlannedNode): boolean =>
    (spec.kind === 'source' || spec.kind === 'table') && spec.topics?.some((read) => read.name === name) === true;
  const below = new Set(nodes.filter(reads));
  for (const node of below) for (const next of nodes) if (next.upstream.has(node)) below.add(next);
  return below;
}

function storesOf(nodes: Iterable<PlannedNode>): ReadonlySet<string> {
  return new Set([...nodes].flatMap(({ spec }) => (spec.stores ?? []).map(({ name }) => name)));
}

function outputsOf(nodes: Iterable<PlannedNode>): ReadonlySet<string> {
  const sinks = [...nodes].filter(({ spec }) => spec.kind === 'sink');
  return new Set(sinks.flatMap(({ spec }) => (spec.topics ?? []).map(({ name }) => name)));
}
