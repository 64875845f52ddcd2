import type { StoreUse, TopicUse } from '../dataflow/node.ts';
import type { Stream } from '../dataflow/stream.ts';
import { ConfigError } from '../errors.ts';
import { sameTimestamps } from '../options/timestamps.ts';
import { requireWindow } from './closing.ts';
import { KeySerdes } from './key-serdes.ts';
import type { Discovery, PlannedNode } from './plan.ts';

/** The part of a pipeline between topics; runs as one task per partition of its topics. */
export interface Stage {
  /** Its input topics, streams first, joined by `+`: unique, and stable as long as the topics are. */
  readonly name: string;
  readonly nodes: readonly PlannedNode[];
  /** Topics read, each once. */
  readonly inputs: readonly TopicUse[];
  readonly outputs: readonly TopicUse[];
  readonly stores: readonly StoreUse[];
}

/**
 * Divides a pipeline into stages: the connected components of the graph. Nodes that read the same topic belong
 * together, because a topic has one committed position per application. Shuffles are not edges: what is written to a
 * topic is read by another stage.
 *
 * @throws ConfigError `ERR_NO_SOURCE`, `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_NO_WINDOW`, `ERR_DUPLICATE_STORE`, `ERR_DUPLICATE_SOURCE`,
 * `ERR_SINK_TO_SOURCE`.
 */
export function stagesOf({ nodes }: Discovery): readonly Stage[] {
  const stages = components([...nodes.values()]).map(stageOf);
  checkStores(stages);
  for (const stage of stages) checkStage(stage);
  return stages.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function components(nodes: readonly PlannedNode[]): PlannedNode[][] {
  const parent = new Map<PlannedNode, PlannedNode>();
  const find = (node: PlannedNode): PlannedNode => {
    let root = node;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  const join = (left: PlannedNode, right: PlannedNode): void => {
    const [from, to] = [find(left), find(right)];
    if (from !== to) parent.set(from, to);
  };
  const readers = new Map<string, PlannedNode>();
  for (const node of nodes) {
    for (const above of node.upstream) join(node, above);
    if (!isInput(node)) continue;
    for (const { name } of node.spec.topics ?? []) {
      const reader = readers.get(name);
      if (reader === undefined) readers.set(name, node);
      else join(node, reader);
    }
  }
  const groups = new Map<PlannedNode, PlannedNode[]>();
  for (const node of nodes) {
    const root = find(node);
    const group = groups.get(root);
    if (group === undefined) groups.set(root, [node]);
    else group.push(node);
  }
  return [...groups.values()];
}

function isInput({ spec }: PlannedNode): boolean {
  return spec.kind === 'source' || spec.kind === 'table';
}

function stageOf(nodes: readonly PlannedNode[]): Stage {
  const inputs = new Map<string, TopicUse>();
  const byKind = (kind: string): PlannedNode[] => nodes.filter(({ spec }) => spec.kind === kind);
  for (const node of [...byKind('source'), ...byKind('table')]) {
    for (const use of node.spec.topics ?? []) {
      const known = inputs.get(use.name);
      if (known !== undefined && node.spec.kind === 'source') throw duplicateSource(use.name);
      if (known !== undefined && !sameTimestamps(known, use)) throw twoTimes(use.name);
      inputs.set(use.name, { ...use, ...known });
    }
  }
  const outputs = new Map<string, TopicUse>();
  for (const node of byKind('sink')) for (const use of node.spec.topics ?? []) outputs.set(use.name, use);
  return {
    name: [...inputs.keys()].join('+'),
    nodes,
    inputs: [...inputs.values()],
    outputs: [...outputs.values()],
    stores: nodes.flatMap(({ spec }) => spec.stores ?? []),
  };
}

function duplicateSource(name: string): ConfigError {
  return new ConfigError('ERR_DUPLICATE_SOURCE', `topic ${name} is declared twice as a source`, {
    topic: name,
    hint: 'declare it once with topic(…) and start both pipelines from that value',
  });
}

function twoTimes(name: string): ConfigError {
  return new ConfigError('ERR_OPTION', `topic ${name} is read with two sorts of timestamps`, {
    topic: name,
    hint: 'a task reads it once: give the same function as timestamp, and the same onInvalidTimestamp, wherever it is declared',
  });
}

function checkStores(stages: readonly Stage[]): void {
  const owners = new Map<string, PlannedNode>();
  for (const node of stages.flatMap((stage) => stage.nodes)) {
    for (const { name } of node.spec.stores ?? []) {
      const owner = owners.get(name);
      if (owner !== undefined) {
        throw new ConfigError(
          'ERR_DUPLICATE_STORE',
          `two steps use the store ${name}: ${owner.step} and ${node.step}`,
          {
            hint: 'give each stateful step its own store name',
          },
        );
      }
      owners.set(name, node);
    }
  }
}

function checkStage(stage: Stage): void {
  if (stage.inputs.length === 0) {
    const steps = stage.nodes.map(({ step }) => step).join(', ');
    throw new ConfigError('ERR_NO_SOURCE', `nothing feeds ${steps}`, {
      hint: 'a pipeline starts with a topic; sources made with of(…), interval(…) or a Subject have no offsets to commit',
    });
  }
  const inputs = new Set(stage.inputs.map(({ name }) => name));
  for (const { internal, name } of stage.outputs) {
    // A step that sends records to itself through an internal topic knows when to stop.
    if (!inputs.has(name) || internal === true) continue;
    throw new ConfigError('ERR_SINK_TO_SOURCE', `stage ${stage.name} writes to its own source ${name}`, {
      topic: name,
      stage: stage.name,
      hint: stage.nodes.some(({ spec }) => spec.kind === 'through' && spec.detail === name)
        ? 'a table or a merge used on both sides of through(…) makes them one stage: join a globalTable(…) on one side'
        : 'it would read its own records forever: write to another topic',
    });
  }
  const keys = new KeySerdes();
  for (const node of stage.nodes) {
    if (node.spec.traits.needsKey === true) keys.require(node, stage.name);
    if (node.spec.traits.needsWindow === true) requireWindow(node, stage.name);
  }
}

/** The stage that a stream belongs to. */
export function stageIndex(stages: readonly Stage[]): ReadonlyMap<Stream<unknown>, Stage> {
  const index = new Map<Stream<unknown>, Stage>();
  for (const stage of stages) for (const node of stage.nodes) index.set(node.stream, stage);
  return index;
}
