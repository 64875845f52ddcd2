import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/** Describes a row that a stateful step emits, for failures in the steps below it. */
export interface EmittedRow {
  /** The step that emits it, such as `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /**
   * Missing for a row emitted on update, which belongs to the current record: the step has added that record to its
   * state. A kept row, such as that of a closing window, results from many records and belongs to none of them.
   */
  readonly kept?: KeptRow;
}

/** Stands for a row that had been kept and is not remembered with what came of it; see `SharedOutputs`. */
export const FORGOTTEN_ROW: EmittedRow = { step: 'a step that emits rows' };

/** A row that a step emits when it is due. Often its state has already been removed from the store. */
export interface KeptRow {
  readonly key: NonNullable<unknown>;
  readonly keySerde: Serde<unknown> | undefined;
  readonly window: Window | undefined;
  /** −1 if it cannot be read. */
  readonly timestamp: number;
  /**
   * What the content is: the row's value, the state from which no value could be computed, or stored bytes that cannot
   * be decoded.
   */
  readonly holds: 'value' | 'state' | 'stored';
  readonly content: unknown;
}

/**
 * An emitted row together with its value. It is a single object to save memory: every record derived from it refers to
 * it until the commit, so there are as many as rows in a commit.
 */
export class EmittedValue implements EmittedRow, KeptRow {
  readonly key: NonNullable<unknown>;
  readonly window: Window | undefined;
  readonly timestamp: number;
  readonly content: unknown;
  readonly #by: EmittingStep;

  constructor(
    by: EmittingStep,
    key: NonNullable<unknown>,
    content: unknown,
    timestamp: number,
    window: Window | undefined,
  ) {
    this.key = key;
    this.window = window;
    this.timestamp = timestamp;
    this.content = content;
    this.#by = by;
  }

  get step(): string {
    return this.#by.name;
  }

  get keySerde(): Serde<unknown> | undefined {
    return this.#by.keySerde;
  }

  get holds(): 'value' {
    return 'value';
  }

  get kept(): KeptRow {
    return this;
  }
}

/** What the emitting step knows about its rows. */
interface EmittingStep {
  readonly name: string;
  readonly keySerde: Serde<unknown> | undefined;
}
