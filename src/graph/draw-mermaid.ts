import type { Drawing, DrawnNode } from './drawing.ts';

/** Draws a pipeline as a Mermaid flowchart: topics are round, and the steps of a stage are in a box. */
export function drawMermaid({ edges, nodes, stages }: Drawing): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const name = (id: string): string => names.get(id) as string;
  const shape = (node: DrawnNode): string =>
    node.kind === 'topic' ? `${name(node.id)}(["${label(node)}"])` : `${name(node.id)}["${label(node)}"]`;
  const lines = ['flowchart LR'];
  for (const node of nodes) if (node.stage === undefined) lines.push(`  ${shape(node)}`);
  for (const [index, stage] of stages.entries()) {
    const steps = nodes.filter((node) => node.stage === stage);
    if (steps.length === 0) continue;
    lines.push(
      `  subgraph s${index}["stage ${escaped(stage)}"]`,
      ...steps.map((node) => `    ${shape(node)}`),
      '  end',
    );
  }
  for (const { from, lookup, to } of edges) lines.push(`  ${name(from)} ${lookup ? '-.->' : '-->'} ${name(to)}`);
  return `${lines.join('\n')}\n`;
}

const label = ({ stores, title }: DrawnNode): string =>
  [escaped(title), ...stores.map((store) => `store ${escaped(store)}`)].join('<br/>');

/** Escapes text between quotes: characters that Mermaid or a browser would read as syntax become numeric entities. */
const escaped = (text: string): string =>
  text.replace(/[^\p{L}\p{N} ._\-(),/:]/gu, (char) => `#${char.codePointAt(0)};`);
