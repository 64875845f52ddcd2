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
