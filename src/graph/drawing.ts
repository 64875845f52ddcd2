import type { GraphStage, GraphStep, PipelineGraph } from '../plan/graph.ts';

/** A topic or a step in a drawing. */
export interface DrawnNode {
  /**
   * `topic:clicks`, or `step:3` with the id of the step. Stable as long as the order of the steps in the program does
   * not change.
   */
  readonly id: string;
  readonly kind: 'topic' | 'step' | 'rxjs';
  readonly title: string;
  readonly stores: readonly string[];
  /** The stage of a step; undefined for a topic, which is between stages. */
  readonly stage: string | undefined;
  /** Ids of the steps that it represents: a topic represents the sources, sinks and shuffles that read and write it. */
  readonly steps: readonly number[];
}

/** An arrow in a drawing. */
export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  /** The stage in which records take this path. */
  readonly stage: string;
  /** Whether records are looked up rather than flow: a global table. */
  readonly lookup: boolean;
}

/** The drawing of a pipeline: its topics and the steps between them. */
export interface Drawing {
  readonly stages: readonly string[];
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

/** Makes the drawing of a pipeline. Steps that read or write a topic are drawn as that topic. */
export function drawingOf({ stages }: PipelineGraph): Drawing {
  const nodes = new Map<string, DrawnNode>();
  const edges = new Map<string, DrawnEdge>();
  const add = (node: DrawnNode): void => {
    const known = nodes.get(node.id);
    if (known === undefined) nodes.set(node.id, node);
    else nodes.set(node.id, { ...known, steps: [...known.steps, ...node.steps] });
  };
  const connect = (from: string, to: string, stage: string, lookup = false): void => {
    const id = JSON.stringify([from, to, stage]);
    if (!edges.has(id)) edges.set(id, { from, to, stage, lookup });
  };
  for (const stage of stages) {
    const origins = originsIn(stage);
    for (const name of stage.inputs) add(topicNode(name, []));
    // Planning finds steps from the end of a pipeline; a drawing begins with its sources.
    for (const step of stage.steps.toReversed()) {
      const topics = step.topics.map(topicId);
      for (const name of step.topics) add(topicNode(name, standsForTopic(step) ? [step.id] : []));
      const above = step.upstream.flatMap((id) => origins(id));
      if (step.kind === 'sink') for (const from of above) for (const to of topics) connect(from, to, stage.name);
      if (standsForTopic(step)) continue;
      add(stepNode(step, stage));
      for (const from of above) connect(from, stepId(step), stage.name);
      for (const from of topics) connect(from, stepId(step), stage.name, step.kind !== 'table');
    }
  }
  return { stages: stages.map(({ name }) => name), nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** The drawn nodes that the output of a step comes from: sinks and shuffles pass on their input. */
function originsIn({ steps }: GraphStage): (id: number) => readonly string[] {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const origins = (id: number): readonly string[] => {
    const step = byId.get(id);
    if (step === undefined) return [];
    if (step.kind === 'source') return step.topics.map(topicId);
    return step.kind === 'sink' || step.kind === 'through' ? step.upstream.flatMap(origins) : [stepId(step)];
  };
  return origins;
}

const standsForTopic = ({ kind }: GraphStep): boolean => kind === 'source' || kind === 'sink' || kind === 'through';

const topicId = (name: string): string => `topic:${name}`;

const stepId = ({ id }: GraphStep): string => `step:${id}`;

const topicNode = (name: string, steps: readonly number[]): DrawnNode => ({
  id: topicId(name),
  kind: 'topic',
  title: name,
  stores: [],
  stage: undefined,
  steps,
});

const stepNode = (step: GraphStep, { name }: GraphStage): DrawnNode => ({
  id: stepId(step),
  kind: step.kind === 'rxjs' ? 'rxjs' : 'step',
  title: step.name,
  stores: step.stores,
  stage: name,
  steps: [step.id],
});
