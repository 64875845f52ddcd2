import type { PipelineGraph } from '../plan/graph.ts';
import { drawDot } from './draw-dot.ts';
import { drawMermaid } from './draw-mermaid.ts';
import { drawSvg } from './draw-svg.ts';
import { drawText } from './draw-text.ts';
import { drawingOf } from './drawing.ts';
import type { GraphFormat } from './formats.ts';

const FORMATS: Readonly<Record<GraphFormat, (graph: PipelineGraph) => string>> = {
  text: (graph) => drawText(drawingOf(graph)),
  mermaid: (graph) => drawMermaid(drawingOf(graph)),
  dot: (graph) => drawDot(drawingOf(graph)),
  svg: (graph) => drawSvg(drawingOf(graph)),
  json: (graph) => `${JSON.stringify(graph, undefined, 2)}\n`,
};

/** Draws a pipeline; the result ends with a line break in every format. */
export function draw(graph: PipelineGraph, format: GraphFormat): string {
  return FORMATS[format](graph);
}
