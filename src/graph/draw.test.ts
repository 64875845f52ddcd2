import { describe, expect, it } from 'vitest';
import { describePipeline, type PipelineGraph } from '../index.ts';
import { draw } from './draw.ts';
import { type Drawing, drawingOf } from './drawing.ts';
import { GRAPH_FORMATS } from './formats.ts';
import { clicksPipeline } from './graph.fixtures.ts';
import { type Box, layoutOf } from './layout.ts';

const graph = (): PipelineGraph => describePipeline(clicksPipeline());

/** A chain of steps between two topics, with a name in every place where there is one. */
function named(name: string): PipelineGraph {
  const step = (id: number, kind: 'source' | 'operator' | 'sink', upstream: readonly number[]) => ({
    id,
    kind,
    name: `${kind}(${name})`,
    topics: kind === 'operator' ? [] : [`${name}-${kind}`],
    stores: kind === 'operator' ? [name] : [],
    upstream,
  });
  const steps = [step(0, 'source', []), step(1, 'operator', [0]), step(2, 'sink', [1])];
  return { stages: [{ name, inputs: [`${name}-source`], outputs: [`${name}-sink`], steps }] };
}

const arrows = ({ edges, nodes }: Drawing): string[] => {
  const titles = new Map(nodes.map(({ id, title }) => [id, title]));
  return edges.map(({ from, lookup, to }) => `${titles.get(from)} ${lookup ? '..' : '->'} ${titles.get(to)}`);
};

describe('drawingOf', () => {
  it('draws what reads and writes topics as the topics', () => {
    const drawing = drawingOf(graph());
    expect(arrows(drawing).sort()).toEqual(
      [
        'clicks -> raw',
        'clicks -> keyBy',
        'keyBy -> clicks-by-user',
        'clicks-by-user -> windowBy(clicks-per-minute)',
        'windowBy(clicks-per-minute) -> joinTable(users)',
        'users -> table(users)',
        'table(users) -> joinTable(users)',
        'joinTable(users) -> joinTable(countries)',
        'countries .. joinTable(countries)',
        'joinTable(countries) -> mapValues',
        'mapValues -> report',
      ].sort(),
    );
    expect(drawing.nodes.find(({ title }) => title === 'clicks-by-user')).toMatchObject({
      kind: 'topic',
      stage: undefined,
    });
    const ids = drawing.nodes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('knows which steps each node stands for: every step has one', () => {
    const steps = graph().stages.flatMap((stage) => stage.steps.filter(({ kind }) => kind !== 'through'));
    const drawn = drawingOf(graph()).nodes.flatMap((node) => node.steps);
    expect(new Set(drawn)).toEqual(new Set(steps.map(({ id }) => id)));
    expect(drawn).toHaveLength(steps.length);
  });
});

describe('draw', () => {
  it('draws trees as text', () => {
    expect(`\n${draw(graph(), 'text')}`).toBe(`
stage clicks
  topic clicks
  ├─ topic raw
  └─ keyBy
     └─ topic clicks-by-user

stage clicks-by-user+users
  topic clicks-by-user
  └─ windowBy(clicks-per-minute)  [store clicks-per-minute]
     └─ joinTable(users)
        └─ joinTable(countries)
           └─ mapValues
              └─ topic report
  topic users
  └─ table(users)  [store users]
     └─ joinTable(users) (see above)
  topic countries
  └─ joinTable(countries) (looked up) (see above)
`);
  });

  it('draws in the languages of mermaid and Graphviz', () => {
    const mermaid = draw(graph(), 'mermaid');
    expect(mermaid).toMatch(/^flowchart LR\n/);
    expect(mermaid).toContain('["windowBy(clicks-per-minute)<br/>store clicks-per-minute"]');
    expect(mermaid).toContain('subgraph s0["stage clicks"]');
    expect(mermaid).toContain('-.->');
    const dot = draw(graph(), 'dot');
    expect(dot).toContain('"topic:clicks" [label="clicks", shape=cylinder, style=""];');
    expect(dot).toMatch(/"topic:countries" -> "step:\d+" \[style=dashed\];/);
    expect(dot.split('{')).toHaveLength(dot.split('}').length);
  });

  it('gives JSON as describePipeline does', () => {
    expect(JSON.parse(draw(graph(), 'json'))).toEqual(graph());
  });

  it.each(GRAPH_FORMATS)('%s: lets no name break out of its place', (format) => {
    const evil = `"]; end </text><script>alert(1)</script> & 'x' \\ #quot; \`b\` \u0007`;
    const drawn = draw(named(evil), format);
    if (format === 'json' || format === 'text') return;
    if (format === 'svg') {
      expect(drawn).not.toContain('\u0007');
      expect(drawn.replace(/<[^<>]*>/g, '')).not.toMatch(/[<>"]/);
    }
    // Outside of quotes nothing of it is left.
    if (format === 'dot')
      expect(
        drawn
          .replaceAll('\\\\', '')
          .replaceAll('\\"', '')
          .replace(/"[^"]*"/g, ''),
      ).not.toContain('script');
    if (format === 'mermaid') expect(drawn.replace(/"[^"]*"/g, '')).not.toMatch(/script|alert/);
  });

  it('draws what is empty, and what goes in circles', () => {
    for (const format of GRAPH_FORMATS) expect(draw({ stages: [] }, format)).toMatch(/\n$/);
    const a = named('a');
    const [stage] = a.stages;
    const circle = { stages: [stage!, { ...named('b').stages[0]!, name: 'b' }] };
    for (const format of GRAPH_FORMATS) expect(draw(circle as PipelineGraph, format)).not.toBe('');
  });
});

describe('layoutOf', () => {
  it('lays nodes beside each other, inside of the picture, and from left to right', () => {
    const { edges, height, nodes, width } = layoutOf(drawingOf(graph()));
    const overlap = (a: Box, b: Box): boolean =>
      a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
    for (const [index, node] of nodes.entries()) {
      expect(node.x).toBeGreaterThanOrEqual(0);
      expect(node.x + node.width).toBeLessThanOrEqual(width);
      expect(node.y + node.height).toBeLessThanOrEqual(height);
      for (const other of nodes.slice(index + 1)) expect(overlap(node, other), `${node.id} ${other.id}`).toBe(false);
    }
    const at = new Map(nodes.map((node) => [node.id, node]));
    for (const { from, points, to } of edges) {
      expect(points.length).toBeGreaterThanOrEqual(2);
      expect(at.get(from)!.x).toBeLessThan(at.get(to)!.x);
    }
  });

  it('is the same each time', () => {
    expect(layoutOf(drawingOf(graph()))).toEqual(layoutOf(drawingOf(graph())));
  });
});
