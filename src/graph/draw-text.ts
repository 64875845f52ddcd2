import type { Drawing, DrawnNode } from './drawing.ts';

/**
 * Draws a pipeline as text trees: the topics of each stage, and under each topic the steps that its records pass
 * through. A step with several inputs is drawn under the first and only referred to under the others.
 */
export function drawText(drawing: Drawing): string {
  if (drawing.stages.length === 0) return 'nothing\n';
  return drawing.stages.map((stage) => stageText(drawing, stage)).join('\n');
}

function stageText({ edges, nodes }: Drawing, stage: string): string {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inside = edges.filter((edge) => edge.stage === stage);
  const next = (id: string): readonly string[] => inside.filter(({ from }) => from === id).map(({ to }) => to);
  const fed = new Set(inside.map(({ to }) => to));
  const isLookup = (from: string, to: string): boolean =>
    inside.some((edge) => edge.from === from && edge.to === to && edge.lookup);
  const roots = nodes.map(({ id }) => id).filter((id) => next(id).length > 0 && !fed.has(id));
  const lookedUp = roots.filter((id) => next(id).every((to) => isLookup(id, to)));
  const shown = new Set<string>();
  const lines: string[] = [`stage ${stage}`];
  const show = (id: string, indent: string, branch: string, lookup: boolean): void => {
    const node = byId.get(id);
    if (node === undefined) return;
    const children = next(id);
    const again = shown.has(id) && children.length > 0;
    lines.push(`${indent}${branch}${described(node)}${lookup ? ' (looked up)' : ''}${again ? ' (see above)' : ''}`);
    if (again) return;
    shown.add(id);
    const deeper = branch === '' ? indent : `${indent}${branch === LAST ? '   ' : '│  '}`;
    for (const [index, child] of children.entries()) {
      show(child, deeper, index === children.length - 1 ? LAST : '├─ ', isLookup(id, child));
    }
  };
  for (const root of roots) if (!lookedUp.includes(root)) show(root, '  ', '', false);
  for (const root of lookedUp) show(root, '  ', '', false);
  return `${lines.join('\n')}\n`;
}

const LAST = '└─ ';

function described({ kind, stores, title }: DrawnNode): string {
  const kept = stores.length === 0 ? '' : `  [${stores.length === 1 ? 'store' : 'stores'} ${stores.join(', ')}]`;
  return `${kind === 'topic' ? 'topic ' : ''}${title}${kept}`;
}
