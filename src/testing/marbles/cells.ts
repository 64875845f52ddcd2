import type { Window } from '../../record.ts';

/** A row in a diagram. */
export interface MarbleRow {
  readonly kind: 'row';
  readonly key: unknown;
  /** The window of a windowed key. */
  readonly window: Window | undefined;
  readonly value: unknown;
  /** `undefined` if the diagram does not specify it. */
  readonly timestamp: number | undefined;
  /** Windows that a late record has missed; `undefined` if the diagram does not list them. */
  readonly missed: readonly Window[] | undefined;
}

/** An action in a diagram other than writing a record. */
export type MarbleAct =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'end' };

export type MarbleItem = MarbleRow | MarbleAct;

/** An item in a line of a diagram. */
export interface MarbleCell {
  readonly item: MarbleItem;
  /** Column in the line, from 0. */
  readonly column: number;
  readonly text: string;
}

/** A line of a diagram. */
export interface MarbleLine {
  readonly name: string;
  /** Number of the line in the text, from 1. */
  readonly number: number;
  readonly cells: readonly MarbleCell[];
}
