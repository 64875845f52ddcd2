/** The formats in which a pipeline can be drawn. */
export type GraphFormat = 'text' | 'mermaid' | 'dot' | 'svg' | 'json';

export const GRAPH_FORMATS: readonly GraphFormat[] = ['text', 'mermaid', 'dot', 'svg', 'json'];
