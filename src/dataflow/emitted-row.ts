import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/** Says what a row is that a stateful step emits, for what goes wrong below it. */
export interface EmittedRow {
  /** The step that emits it, such as `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /**
   * Left out for a row on update: that one is about the record at hand, which the step has taken into its state. A row that
   * was kept stands for many records, and for none of them: the row of a window that closes.
   */
  readonly kept?: KeptRow;
}

/** A row that a step emits when it is due. Often its state is in no store any more. */
export interface KeptRow {
  readonly key: NonNullable<unknown>;
  readonly keySerde: Serde<unknown> | undefined;
  readonly window: Window | undefined;
  /** −1 where it cannot be read. */
  readonly timestamp: number;
  /** What the content is: the row's value, the state that no value could be made of, or stored bytes that cannot be read. */
  readonly holds: 'value' | 'state' | 'stored';
  readonly content: unknown;
}

/**
 * A row of a step that holds its value. It is one object, because each record that comes of it refers to it until it is
 * committed: there are as many of them at a time as rows in a commit.
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

/** What is known of a row by the step that emits it. */
interface EmittingStep {
  readonly name: string;
  readonly keySerde: Serde<unknown> | undefined;
}
