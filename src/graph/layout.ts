import { Graph, layout as place } from '@dagrejs/dagre';
import type { Drawing, DrawnEdge, DrawnNode } from './drawing.ts';

/** A rectangle by its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedNode extends DrawnNode, Box {
  readonly lines: readonly string[];
}

export interface PlacedEdge extends DrawnEdge {
  /** From the border of one node to the border of the other. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface PlacedStage extends Box {
  readonly name: string;
}

/** The positions of everything in a drawing, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly stages: readonly PlacedStage[];
}

/** Font metrics for the text of nodes; the font is monospaced. */
export const FONT = { size: 12, line: 17, char: 7.3 } as const;

const PADDING = 12;
const MARGIN = 16;

/** Lays a drawing out from left to right, in layers. */
export function layoutOf({ edges, nodes, stages }: Drawing): Layout {
  const graph = new Graph({ compound: true, multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 44, edgesep: 12, marginx: MARGIN, marginy: MARGIN });
  const inside = stages.map((stage) => nodes.filter((node) => node.stage === stage));
  for (const [index, steps] of inside.entries()) if (steps.length > 0) graph.setNode(stageId(index), {});
  const lines = new Map(nodes.map((node) => [node.id, linesOf(node)]));
  for (const node of nodes) {
    graph.setNode(node.id, sizeOf(lines.get(node.id) as readonly string[]));
    const stage = node.stage === undefined ? -1 : stages.indexOf(node.stage);
    if (stage >= 0) graph.setParent(node.id, stageId(stage));
  }
  for (const [index, { from, to }] of edges.entries()) graph.setEdge(from, to, {}, String(index));
  place(graph);
  const { height = 0, width = 0 } = graph.graph() as { readonly width?: number; readonly height?: number };
  return {
    width: Math.ceil(width),
    height: Math.ceil(height),
    nodes: nodes.map((node) => ({
      ...node,
      ...boxOf(graph.node(node.id) as Centred),
      lines: lines.get(node.id) as readonly string[],
    })),
    edges: edges.map((edge, index) => ({ ...edge, points: pointsOf(graph.edge(edge.from, edge.to, String(index))) })),
    stages: stages.flatMap((name, index) =>
      (inside[index] ?? []).length === 0 ? [] : [{ name, ...boxOf(graph.node(stageId(index)) as Centred) }],
    ),
  };
}

/** Different from every node id. */
const stageId = (index: number): string => `stage:${index}`;

const linesOf = ({ stores, title }: DrawnNode): readonly string[] => [title, ...stores.map((name) => `store ${name}`)];

const sizeOf = (lines: readonly string[]): { width: number; height: number } => ({
  width: Math.ceil(Math.max(...lines.map((line) => [...line].length)) * FONT.char) + 2 * PADDING,
  height: lines.length * FONT.line + PADDING,
});

/** A box as dagre places it: by its centre. */
interface Centred {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const boxOf = ({ height, width, x, y }: Centred): Box => ({
  x: tenth(x - width / 2),
  y: tenth(y - height / 2),
  width: tenth(width),
  height: tenth(height),
});

const pointsOf = (edge: unknown): PlacedEdge['points'] =>
  ((edge as { readonly points?: PlacedEdge['points'] }).points ?? []).map(({ x, y }) => ({ x: tenth(x), y: tenth(y) }));

const tenth = (number: number): number => Math.round(number * 10) / 10;
