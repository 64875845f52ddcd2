import type { Window } from '../../record.ts';

/** A row as a diagram shows it. */
export interface MarbleRow {
  readonly kind: 'row';
  readonly key: unknown;
  /** The window of a key that has one; in the line `late`, what a record has missed. */
  readonly window: Window | undefined;
  readonly value: unknown;
  /** `undefined` where a diagram does not say. */
  readonly timestamp: number | undefined;
  /** Windows that a late record has missed; `undefined` where a diagram does not say. */
  readonly missed: readonly Window[] | undefined;
}

/** What a diagram does besides writing records. */
export type MarbleAct =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'crash' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'end' };

export type MarbleItem = MarbleRow | MarbleAct;

/** Something in a line of a diagram. */
export interface MarbleCell {
  readonly item: MarbleItem;
  /** Place in the line, from 0. */
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
