import { isObservable, type Observable } from 'rxjs';
import type { TopicUse } from '../dataflow/node.ts';
import type { Stream } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import type { Serde } from '../serdes/serde.ts';
import { KeySerdes } from './key-serdes.ts';
import { type Discovery, discover, type PlannedNode } from './plan.ts';
import { type Stage, stageIndex, stagesOf } from './stages.ts';

/** One Observable, or several that run together. @public */
export type Pipeline = Observable<unknown> | readonly Observable<unknown>[];

/** The plan of a pipeline, made before anything is opened. */
export interface Topology {
  readonly stages: readonly Stage[];
  readonly roots: readonly Observable<unknown>[];
  /** Topics of the global tables, each once. */
  readonly globals: readonly TopicUse[];
  readonly nodes: Iterable<PlannedNode>;
  node(stream: Stream<unknown>): PlannedNode | undefined;
  stageOf(stream: Stream<unknown>): Stage | undefined;
  keySerde(node: PlannedNode): Serde<unknown> | undefined;
  /** Number of steps above a node, by the longest path. */
  depth(node: PlannedNode): number;
  /** Whether two inputs of a node derive from one source. */
  isDiamond(node: PlannedNode): boolean;
}

/**
 * Plans a pipeline. Pure: the same pipeline can be planned, drawn, tested and run any number of times.
 *
 * @param applicationId - Prefix for the topic names of shuffles inside steps; not needed if nothing is run.
 * @throws ConfigError for anything wrong with it; see {@link stagesOf}.
 */
export function plan(pipeline: Pipeline, applicationId?: string): Topology {
  const pipelines = isObservable(pipeline) ? [pipeline] : pipeline;
  if (!Array.isArray(pipelines) || pipelines.length === 0 || !pipelines.every((part) => isObservable(part))) {
    throw new ConfigError('ERR_PIPELINE', `${show(pipeline)} is not a pipeline`, {
      hint: 'give an Observable that starts with a topic, or an array of them',
    });
  }
  const discovery = discover(pipelines, applicationId);
  const stages = stagesOf(discovery);
  const index = stageIndex(stages);
  const keys = new KeySerdes();
  const depths = new Map<PlannedNode, number>();
  return {
    stages,
    roots: discovery.roots,
    globals: globalsOf(stages),
    nodes: [...discovery.nodes.values()],
    node: (stream) => discovery.nodes.get(stream),
    stageOf: (stream) => index.get(stream),
    keySerde: (node) => keys.reaching(node),
    depth: (node) => depthOf(node, depths),
    isDiamond: (node) => isDiamond(node, discovery),
  };
}

function depthOf(node: PlannedNode, known: Map<PlannedNode, number>): number {
  let depth = known.get(node);
  if (depth === undefined) {
    depth = Math.max(-1, ...[...node.upstream].map((above) => depthOf(above, known))) + 1;
    known.set(node, depth);
  }
  return depth;
}

function isDiamond({ spec }: PlannedNode, { nodes }: Discovery): boolean {
  const seen = new Set<string>();
  for (const input of spec.inputs ?? []) {
    const topics = topicsAbove(nodes.get(input));
    for (const topic of topics) if (seen.has(topic)) return true;
    for (const topic of topics) seen.add(topic);
  }
  return false;
}

/** Topics from which records reach a node without a shuffle in between. */
function topicsAbove(node: PlannedNode | undefined): ReadonlySet<string> {
  const topics = new Set<string>();
  const above = new Set(node === undefined ? [] : [node]);
  for (const { spec, upstream } of above) {
    if (spec.kind === 'source' || spec.kind === 'table') for (const { name } of spec.topics ?? []) topics.add(name);
    for (const next of upstream) above.add(next);
  }
  return topics;
}

function globalsOf(stages: readonly Stage[]): readonly TopicUse[] {
  const globals = new Map<string, TopicUse>();
  for (const { spec } of stages.flatMap(({ nodes }) => nodes)) {
    for (const use of spec.globals ?? []) globals.set(use.name, use);
  }
  return [...globals.values()];
}
