import type { Drawing, DrawnNode } from './drawing.ts';

/** Draws a pipeline in the Graphviz language, for `dot -Tpng`. */
export function drawDot({ edges, nodes, stages }: Drawing): string {
  const lines = [
    'digraph pipeline {',
    '  rankdir=LR;',
    '  fontname="sans-serif";',
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
  ];
  for (const node of nodes) if (node.stage === undefined) lines.push(`  ${declared(node)}`);
  for (const [index, stage] of stages.entries()) {
    const steps = nodes.filter((node) => node.stage === stage);
    if (steps.length === 0) continue;
    lines.push(`  subgraph cluster_${index} {`, `    label=${quoted(`stage ${stage}`)};`, '    color=gray;');
    lines.push(...steps.map((node) => `    ${declared(node)}`), '  }');
  }
  for (const { from, lookup, to } of edges) {
    lines.push(`  ${quoted(from)} -> ${quoted(to)}${lookup ? ' [style=dashed]' : ''};`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

function declared({ id, kind, stores, title }: DrawnNode): string {
  const label = quoted([title, ...stores.map((store) => `store ${store}`)].join('\n'));
  const look = kind === 'topic' ? ', shape=cylinder, style=""' : kind === 'rxjs' ? ', style="rounded,dotted"' : '';
  return `${quoted(id)} [label=${label}${look}];`;
}

/** Inside quotes a backslash starts a Graphviz escape, so it is doubled. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
