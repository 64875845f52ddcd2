import type { Drawing } from './drawing.ts';
import { type Box, FONT, layoutOf, type PlacedEdge, type PlacedNode, type PlacedStage } from './layout.ts';

/**
 * Draws a pipeline as an SVG document that is readable on light and dark backgrounds and has a description for screen
 * readers. Nodes carry the ids of the drawing in `data-node`.
 */
export function drawSvg(drawing: Drawing): string {
  const { edges, height, nodes, stages, width } = layoutOf(drawing);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>Pipeline</title>`,
    `<desc>${escaped(described(drawing))}</desc>`,
    `<style>${STYLE}</style>`,
    `<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>`,
    ...stages.map(stageShape),
    ...edges.map(edgeShape),
    ...nodes.map(nodeShape),
    '</svg>',
  ].join('\n')}\n`;
}

const STYLE = [
  `text{font:${FONT.size}px ui-monospace,Menlo,Consolas,monospace;fill:#1b1f24}`,
  '.stage rect{fill:#8881;stroke:#8888;stroke-dasharray:4 3}.stage text{fill:#59636e}',
  '.step rect,.rxjs rect{fill:#fff;stroke:#59636e}.rxjs rect{stroke-dasharray:2 2}',
  '.topic rect{fill:#ddf4ff;stroke:#0969da}.kept{fill:#59636e}',
  '.edge{fill:none;stroke:#59636e;stroke-width:1.3}.lookup{stroke-dasharray:4 3}.head{fill:#59636e}',
  '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.stage text,.kept{fill:#9198a1}.step rect,.rxjs rect{fill:#161b22;stroke:#9198a1}',
  '.topic rect{fill:#0c2d4d;stroke:#4493f8}.edge{stroke:#9198a1}.head{fill:#9198a1}}',
].join('');

const described = ({ edges, nodes }: Drawing): string => {
  const titles = new Map(nodes.map(({ id, kind, title }) => [id, kind === 'topic' ? `topic ${title}` : title]));
  return edges.map(({ from, to }) => `${titles.get(from)} to ${titles.get(to)}`).join('; ');
};

const place = ({ height, width, x, y }: Box): string => `x="${x}" y="${y}" width="${width}" height="${height}"`;

const stageShape = (stage: PlacedStage): string =>
  `<g class="stage"><rect ${place(stage)} rx="6"/><text x="${stage.x + 6}" y="${stage.y + FONT.size + 2}">${escaped(`stage ${stage.name}`)}</text></g>`;

const edgeShape = ({ lookup, points }: PlacedEdge): string => {
  const path = points.map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  return `<path class="edge${lookup ? ' lookup' : ''}" d="${path}" marker-end="url(#arrow)"/>`;
};

function nodeShape(node: PlacedNode): string {
  const round = node.kind === 'topic' ? Math.min(node.height / 2, 15) : 4;
  const top = node.y + (node.height - node.lines.length * FONT.line) / 2 + FONT.size;
  const texts = node.lines.map(
    (line, index) =>
      `<text x="${node.x + node.width / 2}" y="${top + index * FONT.line}" text-anchor="middle"${index === 0 ? '' : ' class="kept"'}>${escaped(line)}</text>`,
  );
  return `<g class="${node.kind}" data-node="${escaped(node.id)}"><rect ${place(node)} rx="${round}"/>${texts.join('')}</g>`;
}

/** Escapes text and attribute values; characters that XML does not allow become a replacement character. */
const escaped = (text: string): string =>
  text.replace(/[^\P{Cc}\t\n]/gu, '\ufffd').replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
